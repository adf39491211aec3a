"""A bottle may be left at the door, where its household asked for that.

Before: every bottle was handed over in person. During: three new columns; every order that stands is to be handed over
in person, and everything delivered was. After: an order says whether it is contactless, a delivery where the bottle was
left and the hash of a photograph of it.
"""

from alembic import op

revision = "0035"
down_revision = "0036"

TABLES = """
ALTER TABLE supply_order ADD COLUMN contactless BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE supply_order ALTER COLUMN contactless DROP DEFAULT;
ALTER TABLE delivery ADD COLUMN drop_place VARCHAR(32);
ALTER TABLE delivery ADD COLUMN drop_photo_sha256 TEXT;
ALTER TABLE delivery ADD CONSTRAINT ck_delivery_photo_of_a_drop CHECK (drop_photo_sha256 IS NULL OR drop_place IS NOT NULL);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    raise NotImplementedError("what was left at a door, and how it was signed for, is proof: it is not dropped")
