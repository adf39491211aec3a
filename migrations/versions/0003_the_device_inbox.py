"""The device inbox, and what custody needs under bad weather.

Before: devices have a key nobody proved and an inbox nobody writes; a fact that lost has a conflict that a
release closes. During: one transaction; device_inbox holds no row yet, so its new columns need no default,
and what stands of custody gets its new columns from what is on record. After: each string a device signed
stands with its signature and first answer, what could not take its place stands aside, a conflict says
which fact was true, and a correction repeats a fact's id without touching the fact.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

UPGRADE = """
ALTER TABLE device ADD COLUMN contiguous_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ALTER COLUMN contiguous_seq DROP DEFAULT;

ALTER TABLE device_inbox ADD COLUMN signature BYTEA NOT NULL;
ALTER TABLE device_inbox ADD COLUMN kind VARCHAR(32);
ALTER TABLE device_inbox ADD COLUMN status VARCHAR(32) NOT NULL;
ALTER TABLE device_inbox ADD COLUMN codes JSONB NOT NULL;
ALTER TABLE device_inbox ADD COLUMN occurred_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE device_inbox ADD COLUMN uncertainty_s INTEGER;
ALTER TABLE device_inbox ADD COLUMN entry_id UUID NOT NULL;

CREATE TABLE device_inbox_aside (
  district INTEGER NOT NULL,
  device_id UUID NOT NULL,
  device_seq INTEGER NOT NULL,
  hash BYTEA NOT NULL,
  signed BYTEA NOT NULL,
  signature BYTEA NOT NULL,
  why VARCHAR(32) NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  entry_id UUID NOT NULL,
  CONSTRAINT pk_device_inbox_aside PRIMARY KEY (district, device_id, device_seq, hash),
  CONSTRAINT fk_device_inbox_aside_district_device_id FOREIGN KEY(district, device_id) REFERENCES device (district, id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON device_inbox_aside
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON device_inbox_aside
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
GRANT SELECT, INSERT ON device_inbox_aside TO lpg_app;

ALTER TABLE delivery ALTER COLUMN check_id DROP NOT NULL;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    raise NotImplementedError("what devices signed is never thrown away")
