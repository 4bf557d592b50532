-- Version 5: what there is to say of a document, and whether somebody should look it over.

ALTER TABLE job ADD COLUMN notes TEXT NOT NULL DEFAULT '[]';    -- JSON array of sentences
ALTER TABLE job ADD COLUMN confidence REAL;                     -- of its least sure page, 0 to 100
ALTER TABLE job ADD COLUMN review INTEGER NOT NULL DEFAULT 0;   -- 1: a page was read unsurely

CREATE INDEX job_review ON job (state, created) WHERE review = 1;
