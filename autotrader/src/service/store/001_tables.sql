-- What survives a restart. One row of `book` for each currency, always: a missing one is damage.

CREATE TABLE fact (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- A currency keeps its number for ever: it is part of the ids of its orders.
CREATE TABLE currency (
    number INTEGER PRIMARY KEY CHECK (number >= 0),
    symbol TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE book (
    currency INTEGER PRIMARY KEY REFERENCES currency (number),
    version INTEGER NOT NULL CHECK (version >= 0),
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
    cycle INTEGER NOT NULL CHECK (cycle >= 0),
    op_settled INTEGER NOT NULL CHECK (op_settled >= 0),
    profit INTEGER NOT NULL,
    -- All four are there while the cycle is active, and none while it is idle.
    step INTEGER CHECK (step >= 0),
    volume INTEGER CHECK (volume > 0),
    cost INTEGER,
    price_last INTEGER,
    -- Of the book and its orphans: what SQLite does not check.
    checksum INTEGER NOT NULL,
    CHECK ((step IS NULL) = (volume IS NULL)),
    CHECK ((step IS NULL) = (cost IS NULL)),
    CHECK ((step IS NULL) = (price_last IS NULL))
) STRICT;

-- Coins that no cycle owns; only ever added to.
CREATE TABLE orphan (
    currency INTEGER NOT NULL REFERENCES currency (number),
    place INTEGER NOT NULL CHECK (place >= 0),
    cycle INTEGER NOT NULL,
    -- The operation whose order was filled too late; none for what a reset left.
    op INTEGER,
    volume INTEGER NOT NULL,
    PRIMARY KEY (currency, place)
) STRICT, WITHOUT ROWID;

-- Orders that may have been submitted: written before they go out.
CREATE TABLE intent (
    currency INTEGER NOT NULL REFERENCES currency (number),
    op INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    cycle INTEGER NOT NULL,
    step INTEGER NOT NULL CHECK (step >= 0),
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    volume INTEGER NOT NULL CHECK (volume > 0),
    price INTEGER NOT NULL,
    -- From then on the exchange does not place it any more, in microseconds since 1970.
    expires_us INTEGER NOT NULL,
    PRIMARY KEY (currency, op)
) STRICT, WITHOUT ROWID;
