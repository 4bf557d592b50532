-- Version 3: a job is found by the places of its outputs and of its original.

CREATE INDEX job_filed ON job (filed) WHERE filed IS NOT NULL;

-- The places of `job.outputs`, kept by the triggers below. Bytes, as SQLite reads them from JSON.
CREATE TABLE output (
    path BLOB NOT NULL,
    job  TEXT NOT NULL,
    PRIMARY KEY (path, job)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO output
SELECT CAST(place.value AS BLOB), job.job FROM job, json_each(job.outputs) AS place;

CREATE TRIGGER job_entered AFTER INSERT ON job WHEN new.outputs != '[]'
BEGIN
    INSERT OR IGNORE INTO output
    SELECT CAST(value AS BLOB), new.job FROM json_each(new.outputs);
END;

CREATE TRIGGER job_published AFTER UPDATE OF outputs ON job WHEN old.outputs != new.outputs
BEGIN
    DELETE FROM output
    WHERE job = old.job
      AND path IN (SELECT CAST(value AS BLOB) FROM json_each(old.outputs));
    INSERT OR IGNORE INTO output
    SELECT CAST(value AS BLOB), new.job FROM json_each(new.outputs);
END;

CREATE TRIGGER job_forgotten AFTER DELETE ON job
BEGIN
    DELETE FROM output
    WHERE job = old.job
      AND path IN (SELECT CAST(value AS BLOB) FROM json_each(old.outputs));
END;
