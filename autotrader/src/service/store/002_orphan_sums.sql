-- The book has the sum of its orphans instead of all of them; each orphan has a checksum of its own.
-- Both kinds of checksums are filled in by the program, in the same transaction.

ALTER TABLE book ADD COLUMN orphaned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE book ADD COLUMN orphans_count INTEGER NOT NULL DEFAULT 0 CHECK (orphans_count >= 0);
UPDATE book SET
    orphaned = (SELECT coalesce(sum(volume), 0) FROM orphan WHERE orphan.currency = book.currency),
    orphans_count = (SELECT count(*) FROM orphan WHERE orphan.currency = book.currency);

ALTER TABLE orphan ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
