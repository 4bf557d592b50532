-- Version 4: a job is found by its name in the inbox, and by the end of its id.

CREATE INDEX job_source ON job (inbox, source, created);
CREATE INDEX job_tail ON job (substr(job, -3));
