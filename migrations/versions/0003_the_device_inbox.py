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

ALTER TABLE cylinder_state ADD COLUMN since_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE cylinder_state ADD COLUMN since_fact_id UUID;
ALTER TABLE cylinder_state ADD COLUMN since_kind VARCHAR(32);
ALTER TABLE cylinder_state ADD COLUMN since_from_kind VARCHAR(32);
ALTER TABLE cylinder_state ADD COLUMN since_from_id UUID;
UPDATE cylinder_state SET (since_at, since_fact_id, since_kind, since_from_kind, since_from_id) = (
  SELECT effective_at, id, kind, from_kind, from_id FROM custody_fact
  WHERE custody_fact.cylinder_id = cylinder_state.cylinder_id
    AND to_kind = holder_kind AND to_id = holder_id
    AND NOT EXISTS (SELECT FROM custody_conflict WHERE fact_id = custody_fact.id)
  ORDER BY effective_at DESC, device_id DESC NULLS LAST, device_seq DESC NULLS LAST, id DESC LIMIT 1
);
CREATE INDEX ix_cylinder_state_card_id ON cylinder_state (district, card_id) WHERE card_id IS NOT NULL;

ALTER TABLE custody_conflict ADD COLUMN standing_cylinder_id UUID;
ALTER TABLE custody_conflict ADD COLUMN true_fact_id UUID;
ALTER TABLE custody_conflict ADD COLUMN resolved_by UUID;
CREATE INDEX ix_custody_conflict_open ON custody_conflict (district, card_id) WHERE resolved_at IS NULL;

CREATE TABLE custody_correction (
  cylinder_id UUID NOT NULL,
  fact_id UUID NOT NULL,
  reason VARCHAR(32) NOT NULL,
  corrective_fact_ids JSONB NOT NULL,
  conflict_id UUID,
  declared_by UUID NOT NULL,
  entry_id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_custody_correction PRIMARY KEY (cylinder_id, fact_id),
  CONSTRAINT fk_custody_correction_cylinder_id FOREIGN KEY(cylinder_id) REFERENCES cylinder (cylinder_id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON custody_correction
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON custody_correction
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
GRANT SELECT, INSERT ON custody_correction TO lpg_app;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    raise NotImplementedError("what devices signed is never thrown away")
