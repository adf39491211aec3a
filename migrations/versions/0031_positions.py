"""Where couriers are while they drive, for days only, and what was found on the road.

Before: nobody knew where a vehicle was, nor when a round had begun or ended. During: three new tables, and two
columns of ``round`` that are null in every standing row; a table is locked only as long as that takes. After:
positions come in of rounds that are driven; they are deleted over their term, with the salts of their batches.
"""

from alembic import op

revision = "0031"
down_revision = "0030"

TABLES = """
ALTER TABLE round ADD COLUMN started_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE round ADD COLUMN finished_at TIMESTAMP WITH TIME ZONE;

CREATE TABLE position_batch (
  district INTEGER NOT NULL,
  device_id UUID NOT NULL,
  id UUID NOT NULL,
  salt BYTEA NOT NULL,
  positions INTEGER NOT NULL,
  from_at TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_position_batch PRIMARY KEY (district, device_id, id),
  CONSTRAINT fk_position_batch_district_device_id FOREIGN KEY(district, device_id) REFERENCES device (district, id)
);
CREATE INDEX ix_position_batch_recorded_at ON position_batch (district, recorded_at);

CREATE TABLE courier_position (
  district INTEGER NOT NULL,
  device_id UUID NOT NULL,
  device_seq INTEGER NOT NULL,
  batch_id UUID NOT NULL,
  round_id UUID NOT NULL,
  binding_id UUID NOT NULL,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  lon FLOAT NOT NULL,
  lat FLOAT NOT NULL,
  accuracy_m INTEGER,
  mark VARCHAR(32),
  CONSTRAINT pk_courier_position PRIMARY KEY (district, device_id, device_seq),
  CONSTRAINT ck_courier_position_seq CHECK (device_seq >= 1),
  CONSTRAINT fk_courier_position_district_device_id FOREIGN KEY(district, device_id) REFERENCES device (district, id)
);
CREATE INDEX ix_courier_position_round_id ON courier_position (district, round_id, occurred_at);
CREATE INDEX ix_courier_position_recorded_at ON courier_position USING brin (recorded_at);

CREATE TABLE road_alarm (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  kind VARCHAR(32) NOT NULL,
  round_id UUID NOT NULL,
  firm_id UUID NOT NULL,
  zone_id UUID NOT NULL,
  binding_id UUID NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  over_at TIMESTAMP WITH TIME ZONE,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_road_alarm PRIMARY KEY (district, id),
  CONSTRAINT fk_road_alarm_district_round_id FOREIGN KEY(district, round_id) REFERENCES round (district, id),
  CONSTRAINT uq_road_alarm_district_round_id_kind_since UNIQUE (district, round_id, kind, since)
);
CREATE INDEX ix_road_alarm_since ON road_alarm (district, since);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON position_batch, courier_position TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON road_alarm TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    raise NotImplementedError("alarms and what was done about them are kept: they are not dropped")
