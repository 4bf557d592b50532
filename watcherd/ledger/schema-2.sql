-- Version 2: what `watcherd status` and the list of an inbox's jobs ask for costs the same with any
-- number of jobs.

DROP INDEX job_inbox;
DROP INDEX job_created;
CREATE INDEX job_inbox ON job (inbox, state, created);

-- The number of jobs by inbox and state, kept by the triggers below.
CREATE TABLE tally (
    inbox TEXT NOT NULL,
    state TEXT NOT NULL,
    jobs  INTEGER NOT NULL CHECK (jobs >= 0),
    PRIMARY KEY (inbox, state)
) STRICT, WITHOUT ROWID;

INSERT INTO tally SELECT inbox, state, count(*) FROM job GROUP BY inbox, state;

CREATE TRIGGER job_came AFTER INSERT ON job
BEGIN
    INSERT OR IGNORE INTO tally VALUES (new.inbox, new.state, 0);
    UPDATE tally SET jobs = jobs + 1 WHERE inbox = new.inbox AND state = new.state;
END;

CREATE TRIGGER job_moved AFTER UPDATE OF inbox, state ON job
WHEN (old.inbox, old.state) IS NOT (new.inbox, new.state)
BEGIN
    UPDATE tally SET jobs = jobs - 1 WHERE inbox = old.inbox AND state = old.state;
    INSERT OR IGNORE INTO tally VALUES (new.inbox, new.state, 0);
    UPDATE tally SET jobs = jobs + 1 WHERE inbox = new.inbox AND state = new.state;
END;

CREATE TRIGGER job_went AFTER DELETE ON job
BEGIN
    UPDATE tally SET jobs = jobs - 1 WHERE inbox = old.inbox AND state = old.state;
END;
