-- CreateTable
CREATE TABLE "pedigrees" (
    "id" TEXT NOT NULL,
    "pedigree_number" TEXT NOT NULL,
    "cat_name" TEXT NOT NULL,
    "title" TEXT,
    "issued_on" DATE NOT NULL,
    "breed_id" TEXT,
    "cat_id" TEXT,

    CONSTRAINT "pedigrees_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "pedigrees_pedigree_number_key" ON "pedigrees"("pedigree_number");

-- CreateIndex
CREATE UNIQUE INDEX "pedigrees_cat_id_key" ON "pedigrees"("cat_id");

-- AddForeignKey
ALTER TABLE "pedigrees" ADD CONSTRAINT "pedigrees_breed_id_fkey" FOREIGN KEY ("breed_id") REFERENCES "breeds"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "pedigrees" ADD CONSTRAINT "pedigrees_cat_id_fkey" FOREIGN KEY ("cat_id") REFERENCES "cats"("id") ON DELETE SET NULL ON UPDATE CASCADE;
