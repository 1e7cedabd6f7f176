-- What the first version of this program left when it was killed: an active cycle, orphans of a reset and of
-- a fill that came too late, two orders in doubt. Kept so that it can always be opened.
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
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
INSERT INTO "book" VALUES(0,47,6,0,8,35,8030,NULL,NULL,NULL,NULL,678940212);
INSERT INTO "book" VALUES(1,15,6,1,6,4,0,NULL,NULL,NULL,NULL,990947942);
INSERT INTO "book" VALUES(2,37,0,0,4,37,5904,0,10,104360,10436,3845403333);
CREATE TABLE currency (
    number INTEGER PRIMARY KEY CHECK (number >= 0),
    symbol TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "currency" VALUES(0,'BTC');
INSERT INTO "currency" VALUES(1,'ETH');
INSERT INTO "currency" VALUES(2,'XRP');
CREATE TABLE fact (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
INSERT INTO "fact" VALUES('instance','db852c1a');
INSERT INTO "fact" VALUES('opened_us','1795356516971819');
INSERT INTO "fact" VALUES('running','yes');
INSERT INTO "fact" VALUES('sequence','1');
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
INSERT INTO "intent" VALUES(0,36,5,7,0,'buy',10,10183,1795356582856661);
INSERT INTO "intent" VALUES(1,5,0,0,1,'buy',20,9769,1795356577890598);
CREATE TABLE orphan (
    currency INTEGER NOT NULL REFERENCES currency (number),
    place INTEGER NOT NULL CHECK (place >= 0),
    cycle INTEGER NOT NULL,
    -- The operation whose order was filled too late; none for what a reset left.
    op INTEGER,
    volume INTEGER NOT NULL,
    PRIMARY KEY (currency, place)
) STRICT, WITHOUT ROWID;
INSERT INTO "orphan" VALUES(0,0,1,NULL,10);
INSERT INTO "orphan" VALUES(0,1,1,12,20);
INSERT INTO "orphan" VALUES(0,2,2,NULL,10);
INSERT INTO "orphan" VALUES(0,3,5,NULL,10);
INSERT INTO "orphan" VALUES(0,4,6,NULL,30);
INSERT INTO "orphan" VALUES(1,0,0,NULL,10);
COMMIT;
PRAGMA user_version = 1;
