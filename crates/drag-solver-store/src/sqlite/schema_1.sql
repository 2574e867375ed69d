-- Times are milliseconds since 1970, money is billionths of a US dollar, keys are random.

-- A process that has the file open. What it holds ends with its lease, or as soon as its lock is free.
CREATE TABLE owners (
    key INTEGER PRIMARY KEY,
    lease_until INTEGER NOT NULL
) STRICT;

CREATE TABLE challenges (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    label TEXT,
    digest BLOB NOT NULL,
    instruction TEXT,
    region TEXT,
    deadline INTEGER,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    status INTEGER NOT NULL, -- 0 open, 1 solved, 2 failed
    accepted INTEGER NOT NULL DEFAULT 0, -- whether it waits for a call to take it up
    outcome TEXT,            -- JSON of the solution, or of the error
    owner INTEGER,           -- who has taken it up
    claim INTEGER,           -- the key of that call, also when it has ended
    note TEXT,               -- what whoever accepted it wants to find with it again
    width INTEGER NOT NULL,  -- size of the picture, in pixels
    height INTEGER NOT NULL,
    verdict INTEGER          -- 0 incorrect, 1 correct: the first that was reported
) STRICT;
CREATE INDEX challenges_by_update ON challenges (updated);
CREATE INDEX challenges_unsolved ON challenges (status) WHERE status <> 1;
CREATE INDEX challenges_open ON challenges (label) WHERE status = 0;

-- A table of its own, so that the rows above stay short. Gone when its challenge has ended and no paid job needs it.
CREATE TABLE pictures (
    challenge INTEGER PRIMARY KEY REFERENCES challenges (n) ON DELETE CASCADE,
    file BLOB NOT NULL
) STRICT;

CREATE TABLE purchases (
    key INTEGER PRIMARY KEY,
    challenge INTEGER REFERENCES challenges (n) ON DELETE SET NULL,
    label TEXT,
    solver TEXT NOT NULL,
    job TEXT,
    state INTEGER NOT NULL,  -- 0 buying, 1 bought, 2 settled
    billed INTEGER NOT NULL, -- 0 no, 1 maybe, 2 yes
    cost INTEGER,
    frame TEXT,
    begun INTEGER NOT NULL,
    ended INTEGER
) STRICT;
CREATE INDEX purchases_of_challenge ON purchases (challenge, begun);
CREATE INDEX purchases_by_time ON purchases (begun, solver);

CREATE TABLE budgets (
    name TEXT PRIMARY KEY,
    spent INTEGER NOT NULL -- in all, which is kept when the charges are forgotten
) STRICT, WITHOUT ROWID;

CREATE TABLE charges (
    key INTEGER PRIMARY KEY,
    budget TEXT NOT NULL,
    at INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    solver TEXT NOT NULL,
    job TEXT,               -- of an unfinished purchase, whose cost may still be corrected
    open INTEGER NOT NULL
) STRICT;
CREATE INDEX charges_by_time ON charges (budget, at, amount);
CREATE INDEX charges_of_job ON charges (job) WHERE open = 1 AND job IS NOT NULL;

-- Money set aside by calls under way.
CREATE TABLE reservations (
    key INTEGER PRIMARY KEY,
    budget TEXT NOT NULL,
    owner INTEGER NOT NULL,
    amount INTEGER NOT NULL
) STRICT;
CREATE INDEX reservations_of_budget ON reservations (budget, owner, amount);

-- How fast challenges of a label may come.
CREATE TABLE turns (
    name TEXT PRIMARY KEY,
    free_at INTEGER NOT NULL -- when all turns are free again, in nanoseconds since 1970
) STRICT, WITHOUT ROWID;

-- What solvers did recently: the last calls of each.
CREATE TABLE calls (
    key INTEGER PRIMARY KEY,
    solver TEXT NOT NULL,
    ended INTEGER NOT NULL,
    took INTEGER NOT NULL, -- in milliseconds
    good INTEGER NOT NULL, -- 1 if it came to an answer that is not known to be wrong
    spent INTEGER,
    job TEXT
) STRICT;
CREATE INDEX calls_by_time ON calls (solver, ended);

-- Keys that programs are given. A name can be given again when its key is revoked.
CREATE TABLE keys (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL,   -- JSON
    limits TEXT NOT NULL, -- JSON
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER
) STRICT;
CREATE INDEX keys_by_name ON keys (name);
