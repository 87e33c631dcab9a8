-- A few hundred rows, the same at each start, with dates relative to today.
INSERT INTO users (id, email, role)
SELECT 'user-' || n, 'staff' || n || '@mycats.example', CASE n WHEN 1 THEN 'ADMIN' ELSE 'USER' END FROM generate_series(1, 5) n;

INSERT INTO breeds (id, code, name)
SELECT 'breed-' || n, n, name
FROM unnest(ARRAY['Abyssinian', 'Bengal', 'Birman', 'British Shorthair', 'Maine Coon', 'Munchkin', 'Norwegian Forest Cat',
                  'Persian', 'Ragdoll', 'Russian Blue', 'Scottish Fold', 'Siamese']) WITH ORDINALITY AS t(name, n);

INSERT INTO coat_colors (id, code, name)
SELECT 'color-' || n, n, name
FROM unnest(ARRAY['Black', 'Blue', 'Brown Tabby', 'Calico', 'Chocolate', 'Cream', 'Red Tabby', 'White']) WITH ORDINALITY AS t(name, n);

INSERT INTO owners (id, name, email)
SELECT 'owner-' || n, 'Owner ' || n, 'owner' || n || '@mycats.example' FROM generate_series(1, 25) n;

INSERT INTO cats (id, name, gender, birth_date, breed_id, coat_color_id, owner_id, father_id, mother_id)
SELECT 'cat-' || lpad(n::text, 3, '0'), 'Cat ' || n, (CASE n % 2 WHEN 0 THEN 'FEMALE' ELSE 'MALE' END)::"Gender",
       current_date - 2000 + n * 10, 'breed-' || 1 + n % 12, 'color-' || 1 + n % 8, 'owner-' || 1 + n % 25,
       CASE WHEN n > 40 THEN 'cat-' || lpad((1 + 2 * (n % 20))::text, 3, '0') END,
       CASE WHEN n > 40 THEN 'cat-' || lpad((2 + 2 * (n % 20))::text, 3, '0') END
FROM generate_series(1, 120) n;

INSERT INTO pedigrees (id, pedigree_number, cat_name, title, issued_on, breed_id, cat_id)
SELECT 'pedigree-' || n, 'JP-' || 700000 + n, 'Cat ' || n, CASE WHEN n % 7 = 0 THEN 'Champion' END, current_date - 1500 + n * 10,
       'breed-' || 1 + n % 12, 'cat-' || lpad(n::text, 3, '0')
FROM generate_series(1, 80) n;

INSERT INTO care_records (id, cat_id, recorded_by, care_type, care_date)
SELECT 'care-' || n, 'cat-' || lpad((1 + n % 120)::text, 3, '0'), 'user-' || 1 + n % 5,
       (ARRAY['VACCINATION', 'CHECKUP', 'GROOMING'])[1 + n % 3], current_date - n % 365
FROM generate_series(1, 150) n;

INSERT INTO weight_records (id, cat_id, grams, measured_on)
SELECT 'weight-' || n, 'cat-' || lpad((1 + n % 120)::text, 3, '0'), 2500 + (n * 37) % 3500, current_date - n % 180
FROM generate_series(1, 240) n;

INSERT INTO breeding_records (id, male_id, female_id, bred_on)
SELECT 'breeding-' || n, 'cat-' || lpad((1 + 2 * n)::text, 3, '0'), 'cat-' || lpad((2 + 2 * n)::text, 3, '0'), current_date - 400 + n * 10
FROM generate_series(0, 19) n;

INSERT INTO tags (id, name)
SELECT 'tag-' || n, name FROM unnest(ARRAY['kitten', 'retired', 'show', 'stud', 'queen', 'for sale']) WITH ORDINALITY AS t(name, n);

INSERT INTO cat_tags (cat_id, tag_id)
SELECT 'cat-' || lpad(n::text, 3, '0'), 'tag-' || 1 + n % 6 FROM generate_series(1, 90) n;
