-- The ledger. The disk is the truth: all of this can be lost and is rebuilt from the spool,
-- but for the history. PRAGMA user_version carries the schema's version.

CREATE TABLE job (
    job      TEXT PRIMARY KEY,
    inbox    TEXT NOT NULL,
    source   BLOB NOT NULL,               -- name relative to the inbox, exact bytes
    size     INTEGER NOT NULL,            -- bytes
    sha256   TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN
        ('ready', 'queued', 'running', 'done', 'failed', 'skipped', 'cancelled')),
    stage    TEXT CHECK (stage IN ('ocr', 'pdf')),
    current  INTEGER NOT NULL DEFAULT 0,  -- pages landed
    total    INTEGER,                     -- pages; unknown before the plan
    attempts INTEGER NOT NULL DEFAULT 0,  -- failed ones of the stage or page that has most
    outputs  TEXT NOT NULL DEFAULT '[]',  -- JSON array of absolute paths
    filed    BLOB,                        -- where the original lies now, exact bytes
    code     TEXT,
    reason   TEXT,
    created  REAL NOT NULL,               -- seconds since the epoch, as all times here
    updated  REAL NOT NULL,
    finished REAL,
    CHECK ((state IN ('done', 'failed', 'skipped', 'cancelled')) = (finished IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX job_unfinished ON job (created) WHERE finished IS NULL;
CREATE INDEX job_created ON job (created);
CREATE INDEX job_inbox ON job (inbox, created);
CREATE INDEX job_finished ON job (finished) WHERE finished IS NOT NULL;
CREATE INDEX job_state ON job (state, created);
CREATE INDEX job_same ON job (inbox, sha256);

-- Append-only: one row for each step that a job has taken.
CREATE TABLE transition (
    id     INTEGER PRIMARY KEY,
    job    TEXT NOT NULL,
    at     REAL NOT NULL,
    event  TEXT NOT NULL,
    before TEXT NOT NULL,
    after  TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}'     -- JSON object
) STRICT;

CREATE INDEX transition_job ON transition (job, id);
CREATE TRIGGER transition_is_history BEFORE UPDATE ON transition
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;

-- What people ask of the daemon; answered by it.
CREATE TABLE request (
    id       INTEGER PRIMARY KEY,
    verb     TEXT NOT NULL CHECK (verb IN ('retry', 'cancel', 'pause', 'resume')),
    target   TEXT NOT NULL,               -- a job, or an inbox's name
    at       REAL NOT NULL,
    answered REAL,
    ok       INTEGER,
    answer   TEXT
) STRICT;

CREATE INDEX request_open ON request (id) WHERE answered IS NULL;

-- Files seen but not claimed: a snapshot, the first ones of each inbox.
CREATE TABLE waiting (
    inbox  TEXT NOT NULL,
    source BLOB NOT NULL,
    size   INTEGER NOT NULL,
    since  REAL NOT NULL,
    why    TEXT NOT NULL,                 -- stable slug
    says   TEXT NOT NULL,                 -- a sentence
    PRIMARY KEY (inbox, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
    name    TEXT PRIMARY KEY,
    paused  INTEGER NOT NULL DEFAULT 0,
    watch   TEXT,                         -- inotify or scan
    waiting INTEGER NOT NULL DEFAULT 0,   -- files
    oldest  REAL,                         -- since when the oldest of them waits
    trouble TEXT,                         -- what is wrong with the folder, if anything
    updated REAL
) STRICT, WITHOUT ROWID;

-- At most one row: the daemon that is or was running.
CREATE TABLE daemon (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    pid     INTEGER NOT NULL,
    started REAL NOT NULL,
    beat    REAL NOT NULL,
    trouble TEXT                          -- the alarm in force, such as an unreachable broker
) STRICT;
