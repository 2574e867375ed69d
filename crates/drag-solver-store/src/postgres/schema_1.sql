-- Times are milliseconds since 1970, money is billionths of a US dollar, keys are random.

-- A process that has the store open. What it holds ends with its lease.
CREATE TABLE owners (
    key BIGINT PRIMARY KEY,
    lease_until BIGINT NOT NULL
);

CREATE TABLE challenges (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    label TEXT,
    digest BYTEA NOT NULL,
    instruction TEXT,
    region TEXT,
    deadline BIGINT,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    status BIGINT NOT NULL,              -- 0 open, 1 solved, 2 failed
    accepted BOOLEAN NOT NULL DEFAULT FALSE, -- whether it waits for a call to take it up
    outcome TEXT,                        -- JSON of the solution, or of the error
    owner BIGINT,                        -- who has taken it up
    claim BIGINT,                        -- the key of that call, also when it has ended
    note TEXT,                           -- what whoever accepted it wants to find with it again
    width BIGINT NOT NULL,               -- size of the picture, in pixels
    height BIGINT NOT NULL,
    verdict BIGINT                       -- 0 incorrect, 1 correct: the first that was reported
) WITH (fillfactor = 80);                -- room for the updates of a challenge in its own page
CREATE INDEX challenges_by_update ON challenges (updated);
CREATE INDEX challenges_open ON challenges (n) WHERE status = 0;
CREATE INDEX challenges_open_of_label ON challenges (label) WHERE status = 0;

-- A table of its own, so that the rows above stay short. Gone when its challenge has ended and no paid job needs it.
CREATE TABLE pictures (
    challenge BIGINT PRIMARY KEY REFERENCES challenges (n) ON DELETE CASCADE,
    file BYTEA NOT NULL
);
-- A picture is compressed already.
ALTER TABLE pictures ALTER COLUMN file SET STORAGE EXTERNAL;

CREATE TABLE purchases (
    key BIGINT PRIMARY KEY,
    challenge BIGINT REFERENCES challenges (n) ON DELETE SET NULL,
    label TEXT,
    solver TEXT NOT NULL,
    job TEXT,
    state BIGINT NOT NULL,  -- 0 buying, 1 bought, 2 settled
    billed BIGINT NOT NULL, -- 0 no, 1 maybe, 2 yes
    cost BIGINT,
    frame TEXT,
    begun BIGINT NOT NULL,
    ended BIGINT
) WITH (fillfactor = 80);
CREATE INDEX purchases_of_challenge ON purchases (challenge, begun);
CREATE INDEX purchases_by_time ON purchases (begun);

CREATE TABLE budgets (
    name TEXT PRIMARY KEY,
    spent BIGINT NOT NULL -- in all, which is kept when the charges are forgotten
) WITH (fillfactor = 50);

CREATE TABLE charges (
    key BIGINT PRIMARY KEY,
    budget TEXT NOT NULL,
    at BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    solver TEXT NOT NULL,
    job TEXT,               -- of an unfinished purchase, whose cost may still be corrected
    open BOOLEAN NOT NULL
);
CREATE INDEX charges_by_time ON charges (budget, at, amount);
CREATE INDEX charges_of_job ON charges (job) WHERE open AND job IS NOT NULL;

-- Money set aside by calls under way.
CREATE TABLE reservations (
    key BIGINT PRIMARY KEY,
    budget TEXT NOT NULL,
    owner BIGINT NOT NULL,
    amount BIGINT NOT NULL
);
CREATE INDEX reservations_of_budget ON reservations (budget);
CREATE INDEX reservations_of_owner ON reservations (owner);

-- How fast challenges of a label may come.
CREATE TABLE turns (
    name TEXT PRIMARY KEY,
    free_at BIGINT NOT NULL -- when all turns are free again, in nanoseconds since 1970
);

-- What solvers did recently: the last calls of each.
CREATE TABLE calls (
    key BIGINT PRIMARY KEY,
    solver TEXT NOT NULL,
    ended BIGINT NOT NULL,
    took BIGINT NOT NULL,  -- in milliseconds
    good BOOLEAN NOT NULL, -- whether it came to an answer that is not known to be wrong
    spent BIGINT,
    job TEXT
);
CREATE INDEX calls_by_time ON calls (solver, ended);

-- Keys that programs are given. A name can be given again when its key is revoked.
CREATE TABLE keys (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    role TEXT NOT NULL,   -- JSON
    limits TEXT NOT NULL, -- JSON
    created BIGINT NOT NULL,
    expires BIGINT,
    revoked BIGINT
);
CREATE INDEX keys_by_name ON keys (name);
