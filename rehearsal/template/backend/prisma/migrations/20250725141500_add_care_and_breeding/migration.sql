-- CreateTable
CREATE TABLE "care_records" (
    "id" TEXT NOT NULL,
    "cat_id" TEXT NOT NULL,
    "recorded_by" TEXT NOT NULL,
    "care_type" TEXT NOT NULL,
    "care_date" DATE NOT NULL,

    CONSTRAINT "care_records_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "weight_records" (
    "id" TEXT NOT NULL,
    "cat_id" TEXT NOT NULL,
    "grams" INTEGER NOT NULL,
    "measured_on" DATE NOT NULL,

    CONSTRAINT "weight_records_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "weight_records_grams_check" CHECK ("grams" > 0)
);

-- CreateTable
CREATE TABLE "breeding_records" (
    "id" TEXT NOT NULL,
    "male_id" TEXT NOT NULL,
    "female_id" TEXT NOT NULL,
    "bred_on" DATE NOT NULL,

    CONSTRAINT "breeding_records_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tags" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "tags_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "cat_tags" (
    "cat_id" TEXT NOT NULL,
    "tag_id" TEXT NOT NULL,

    CONSTRAINT "cat_tags_pkey" PRIMARY KEY ("cat_id", "tag_id")
);

-- CreateIndex
CREATE INDEX "care_records_cat_id_idx" ON "care_records"("cat_id");

-- CreateIndex
CREATE INDEX "weight_records_cat_id_idx" ON "weight_records"("cat_id");

-- CreateIndex
CREATE UNIQUE INDEX "tags_name_key" ON "tags"("name");

-- AddForeignKey
ALTER TABLE "care_records" ADD CONSTRAINT "care_records_cat_id_fkey" FOREIGN KEY ("cat_id") REFERENCES "cats"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "care_records" ADD CONSTRAINT "care_records_recorded_by_fkey" FOREIGN KEY ("recorded_by") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "weight_records" ADD CONSTRAINT "weight_records_cat_id_fkey" FOREIGN KEY ("cat_id") REFERENCES "cats"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "breeding_records" ADD CONSTRAINT "breeding_records_male_id_fkey" FOREIGN KEY ("male_id") REFERENCES "cats"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "breeding_records" ADD CONSTRAINT "breeding_records_female_id_fkey" FOREIGN KEY ("female_id") REFERENCES "cats"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "cat_tags" ADD CONSTRAINT "cat_tags_cat_id_fkey" FOREIGN KEY ("cat_id") REFERENCES "cats"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "cat_tags" ADD CONSTRAINT "cat_tags_tag_id_fkey" FOREIGN KEY ("tag_id") REFERENCES "tags"("id") ON DELETE CASCADE ON UPDATE CASCADE;
