"""The house: every table, its fences and the rights of the application's role.

A photograph: this file never imports the code's tables; ``./lpg manage drift`` and a test compare the two.

Before: an empty database, or one where only the role lpg_app and btree_gist exist. During: one
transaction. After: the schema of the foundation. The keys are those by which the tables could be sharded
later: district, cylinder, person and identifier stand first in their groups' keys.
"""

from alembic import op

revision = "0001"
down_revision = None

EXTENSION_AND_ROLE = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lpg_app') THEN
    CREATE ROLE lpg_app LOGIN;
  END IF;
END $$;
"""

TABLES = """
CREATE TABLE api_token (
  token_hash BYTEA NOT NULL,
  principal_id UUID NOT NULL,
  label TEXT NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_api_token PRIMARY KEY (token_hash)
);

CREATE TABLE booking_repeat (
  district INTEGER NOT NULL,
  card_id UUID NOT NULL,
  day DATE NOT NULL,
  times INTEGER NOT NULL,
  last_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_booking_repeat PRIMARY KEY (district, card_id, day)
);

CREATE TABLE card_holding (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  card_id UUID NOT NULL,
  cylinder_id UUID NOT NULL,
  active BOOLEAN NOT NULL,
  from_at TIMESTAMP WITH TIME ZONE NOT NULL,
  until_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_card_holding PRIMARY KEY (district, id)
);
CREATE UNIQUE INDEX uq_card_holding_active ON card_holding (district, card_id) WHERE active;

CREATE TABLE custody_fact (
  cylinder_id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  id UUID NOT NULL,
  kind VARCHAR(32) NOT NULL,
  from_kind VARCHAR(32),
  from_id UUID,
  to_kind VARCHAR(32),
  to_id UUID,
  "full" BOOLEAN NOT NULL,
  district INTEGER NOT NULL,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
  uncertainty_s INTEGER NOT NULL,
  device_id UUID,
  device_seq INTEGER,
  actor_id UUID NOT NULL,
  entry_id UUID NOT NULL,
  site_id UUID,
  binding_id UUID,
  zone_id UUID,
  round_id UUID,
  line_id UUID,
  card_id UUID,
  flags JSONB NOT NULL,
  CONSTRAINT pk_custody_fact PRIMARY KEY (cylinder_id, recorded_at, id)
);
CREATE INDEX ix_custody_fact_order ON custody_fact (cylinder_id, effective_at, device_id, device_seq, id);

CREATE TABLE cylinder (
  cylinder_id UUID NOT NULL,
  model TEXT NOT NULL,
  state VARCHAR(32) NOT NULL,
  owner_firm_id UUID,
  registered_by_firm_id UUID,
  registered_on DATE,
  entrusted_to_firm_id UUID,
  standard TEXT,
  phase VARCHAR(32),
  material TEXT,
  tare_g INTEGER,
  max_fill_g INTEGER NOT NULL,
  made_on DATE,
  made_precision TEXT NOT NULL,
  design_life_months INTEGER,
  extended_until DATE,
  extension_assessed BOOLEAN NOT NULL,
  extension_registered BOOLEAN NOT NULL,
  bought_on DATE,
  embossed_owner_mark BOOLEAN,
  refurbished BOOLEAN,
  illegal_make BOOLEAN NOT NULL,
  screwed_guard BOOLEAN NOT NULL,
  scrap_ordered BOOLEAN NOT NULL,
  import_id UUID,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_cylinder PRIMARY KEY (cylinder_id),
  CONSTRAINT ck_cylinder_tare CHECK (tare_g IS NULL OR tare_g > 0)
);

CREATE TABLE cylinder_claim (
  cylinder_id UUID NOT NULL,
  id UUID NOT NULL,
  district INTEGER NOT NULL,
  card_id UUID NOT NULL,
  active BOOLEAN NOT NULL,
  from_at TIMESTAMP WITH TIME ZONE NOT NULL,
  until_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_cylinder_claim PRIMARY KEY (cylinder_id, id)
);
CREATE UNIQUE INDEX uq_cylinder_claim_active ON cylinder_claim (cylinder_id) WHERE active;

CREATE TABLE cylinder_identifier (
  scheme VARCHAR(32) NOT NULL,
  value TEXT NOT NULL,
  cylinder_id UUID NOT NULL,
  active_from TIMESTAMP WITH TIME ZONE NOT NULL,
  voided_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_cylinder_identifier PRIMARY KEY (scheme, value)
);
CREATE INDEX ix_cylinder_identifier_cylinder_id ON cylinder_identifier (cylinder_id);

CREATE TABLE cylinder_import (
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  district INTEGER NOT NULL,
  evidence JSONB NOT NULL,
  rows_root TEXT NOT NULL,
  accepted INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_cylinder_import PRIMARY KEY (id)
);

CREATE TABLE cylinder_load (
  cylinder_id UUID NOT NULL,
  id UUID NOT NULL,
  district INTEGER NOT NULL,
  line_id UUID NOT NULL,
  active BOOLEAN NOT NULL,
  CONSTRAINT pk_cylinder_load PRIMARY KEY (cylinder_id, id)
);
CREATE UNIQUE INDEX uq_cylinder_load_active ON cylinder_load (cylinder_id) WHERE active;

CREATE TABLE cylinder_type (
  model TEXT NOT NULL,
  water_ml INTEGER NOT NULL,
  max_fill_g INTEGER NOT NULL,
  nominal_g INTEGER NOT NULL,
  units INTEGER NOT NULL,
  needs_truck BOOLEAN NOT NULL,
  CONSTRAINT pk_cylinder_type PRIMARY KEY (model),
  CONSTRAINT ck_cylinder_type_amounts CHECK (max_fill_g > 0 AND water_ml > 0 AND units > 0)
);

CREATE TABLE delivery (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  order_id UUID NOT NULL,
  line_id UUID NOT NULL,
  card_id UUID NOT NULL,
  household_id UUID NOT NULL,
  round_id UUID NOT NULL,
  courier_id UUID NOT NULL,
  binding_id UUID NOT NULL,
  check_id UUID NOT NULL,
  outcome VARCHAR(32) NOT NULL,
  full_cylinder_id UUID,
  empty_cylinder_id UUID,
  proof_kind VARCHAR(32),
  proof_sha256 TEXT,
  connected BOOLEAN NOT NULL,
  leak_test_passed BOOLEAN,
  lon DOUBLE PRECISION,
  lat DOUBLE PRECISION,
  flags JSONB NOT NULL,
  happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_delivery PRIMARY KEY (district, id)
);
CREATE INDEX ix_delivery_household_id ON delivery (district, household_id);
CREATE INDEX ix_delivery_order_id ON delivery (district, order_id);
CREATE INDEX ix_delivery_round_id ON delivery (district, round_id);
CREATE UNIQUE INDEX uq_delivery_line_done ON delivery (district, line_id) WHERE outcome IN ('delivered', 'withheld');

CREATE TABLE demo_clock (
  id INTEGER NOT NULL,
  offset_ms BIGINT NOT NULL,
  CONSTRAINT pk_demo_clock PRIMARY KEY (id),
  CONSTRAINT ck_demo_clock_one_row CHECK (id = 1)
);

CREATE TABLE device (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  label TEXT NOT NULL,
  public_key TEXT,
  revoked_at TIMESTAMP WITH TIME ZONE,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_device PRIMARY KEY (district, id)
);

CREATE TABLE door_code (
  district INTEGER NOT NULL,
  order_id UUID NOT NULL,
  code_sealed BYTEA NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  wrong_tries INTEGER NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_door_code PRIMARY KEY (district, order_id),
  CONSTRAINT ck_door_code_wrong_tries CHECK (wrong_tries >= 0)
);

CREATE TABLE evidence_entry (
  id UUID NOT NULL,
  verb TEXT NOT NULL,
  outcome VARCHAR(32) NOT NULL,
  district INTEGER NOT NULL,
  actor_id UUID NOT NULL,
  role TEXT NOT NULL,
  firm_id UUID,
  site_id UUID,
  zone_id UUID,
  round_id UUID,
  refusal_no TEXT,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  written BYTEA NOT NULL,
  hash BYTEA NOT NULL,
  CONSTRAINT pk_evidence_entry PRIMARY KEY (id),
  CONSTRAINT ck_evidence_entry_hash_length CHECK (length(hash) = 32)
);
CREATE INDEX ix_evidence_entry_recorded_at ON evidence_entry (recorded_at);
CREATE INDEX ix_evidence_entry_refusal_no ON evidence_entry (refusal_no) WHERE refusal_no IS NOT NULL;

CREATE TABLE evidence_head (
  subject_type VARCHAR(32) NOT NULL,
  subject_key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hash BYTEA,
  CONSTRAINT pk_evidence_head PRIMARY KEY (subject_type, subject_key)
);

CREATE TABLE evidence_link (
  subject_type VARCHAR(32) NOT NULL,
  subject_key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  entry_id UUID NOT NULL,
  previous BYTEA,
  CONSTRAINT pk_evidence_link PRIMARY KEY (subject_type, subject_key, seq),
  CONSTRAINT ck_evidence_link_seq CHECK (seq >= 1)
);
CREATE INDEX ix_evidence_link_entry_id ON evidence_link (entry_id);

CREATE TABLE firm (
  id UUID NOT NULL,
  home_district INTEGER NOT NULL,
  name TEXT NOT NULL,
  uscc TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_firm PRIMARY KEY (id),
  CONSTRAINT uq_firm_uscc UNIQUE (uscc)
);

CREATE TABLE idempotency (
  district INTEGER NOT NULL,
  actor_id UUID NOT NULL,
  key TEXT NOT NULL,
  verb TEXT NOT NULL,
  fingerprint BYTEA NOT NULL,
  answer JSONB,
  reasons JSONB,
  refusal_no TEXT,
  entry_id UUID,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_idempotency PRIMARY KEY (district, actor_id, key)
);

CREATE TABLE line_load (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  line_id UUID NOT NULL,
  round_id UUID NOT NULL,
  cylinder_id UUID NOT NULL,
  active BOOLEAN NOT NULL,
  loaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_line_load PRIMARY KEY (district, id)
);
CREATE INDEX ix_line_load_round_id ON line_load (district, round_id);
CREATE UNIQUE INDEX uq_line_load_active ON line_load (district, line_id) WHERE active;

CREATE TABLE outbox_event (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  topic TEXT NOT NULL,
  payload JSONB NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_outbox_event PRIMARY KEY (district, id)
);

CREATE TABLE person (
  person_id UUID NOT NULL,
  name_sealed BYTEA NOT NULL,
  phone_sealed BYTEA NOT NULL,
  salt_sealed BYTEA NOT NULL,
  principal_id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_person PRIMARY KEY (person_id)
);

CREATE TABLE person_document (
  scheme TEXT NOT NULL,
  value BYTEA NOT NULL,
  person_id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_person_document PRIMARY KEY (scheme, value)
);

CREATE TABLE premises (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  street_code TEXT NOT NULL,
  committee_code TEXT NOT NULL,
  address_scheme TEXT NOT NULL,
  address_index BYTEA NOT NULL,
  lon DOUBLE PRECISION NOT NULL,
  lat DOUBLE PRECISION NOT NULL,
  kind VARCHAR(32) NOT NULL,
  piped_gas BOOLEAN,
  lift BOOLEAN,
  height_m INTEGER,
  floor_kind TEXT,
  converted_to_pipe BOOLEAN,
  has_cylinder_room BOOLEAN,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_premises PRIMARY KEY (district, id),
  CONSTRAINT uq_premises_district_address_scheme_address_index UNIQUE (district, address_scheme, address_index)
);

CREATE TABLE role_grant (
  id UUID NOT NULL,
  principal_id UUID NOT NULL,
  role VARCHAR(32) NOT NULL,
  scope_kind VARCHAR(32) NOT NULL,
  scope_code TEXT NOT NULL,
  home_district INTEGER NOT NULL,
  from_at TIMESTAMP WITH TIME ZONE NOT NULL,
  until_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_role_grant PRIMARY KEY (id),
  CONSTRAINT ck_role_grant_span CHECK (until_at IS NULL OR until_at > from_at)
);
CREATE INDEX ix_role_grant_principal_id ON role_grant (principal_id);

CREATE TABLE round_plan (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  zone_id UUID NOT NULL,
  day DATE NOT NULL,
  wave INTEGER NOT NULL,
  state VARCHAR(32) NOT NULL,
  problem JSONB NOT NULL,
  plan JSONB NOT NULL,
  unserved JSONB NOT NULL,
  engine TEXT NOT NULL,
  seed INTEGER NOT NULL,
  iterations INTEGER NOT NULL,
  travel_s INTEGER NOT NULL,
  distance_m INTEGER NOT NULL,
  travel_times TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_round_plan PRIMARY KEY (district, id)
);
CREATE UNIQUE INDEX uq_round_plan_applied ON round_plan (district, zone_id, day, wave) WHERE state = 'applied';

CREATE TABLE rulebook_edition (
  digest TEXT NOT NULL,
  text TEXT NOT NULL,
  first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_rulebook_edition PRIMARY KEY (digest)
);

CREATE TABLE safety_check (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  household_id UUID NOT NULL,
  order_id UUID,
  reason VARCHAR(32) NOT NULL,
  mode VARCHAR(32) NOT NULL,
  outcome VARCHAR(32) NOT NULL,
  blocking BOOLEAN NOT NULL,
  checked_by UUID NOT NULL,
  user_signed BOOLEAN NOT NULL,
  briefed BOOLEAN NOT NULL,
  follow_up_on DATE,
  checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_safety_check PRIMARY KEY (district, id)
);
CREATE INDEX ix_safety_check_household_id ON safety_check (district, household_id, checked_at);

CREATE TABLE sealed_key (
  subject_type VARCHAR(32) NOT NULL,
  subject_id UUID NOT NULL,
  key_version INTEGER NOT NULL,
  wrapped BYTEA NOT NULL,
  CONSTRAINT pk_sealed_key PRIMARY KEY (subject_type, subject_id)
);
CREATE INDEX ix_sealed_key_key_version ON sealed_key (key_version);

CREATE TABLE slot (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  zone_id UUID NOT NULL,
  day DATE NOT NULL,
  starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
  capacity INTEGER NOT NULL,
  taken INTEGER NOT NULL,
  closed BOOLEAN NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_slot PRIMARY KEY (district, id),
  CONSTRAINT ex_slot_span EXCLUDE USING gist (district WITH =, zone_id WITH =, tstzrange(starts_at, ends_at) WITH &&),
  CONSTRAINT ck_slot_span CHECK (ends_at > starts_at),
  CONSTRAINT ck_slot_capacity CHECK (taken >= 0 AND taken <= capacity)
);
CREATE INDEX ix_slot_day ON slot (district, zone_id, day);
CREATE INDEX ix_slot_recorded_at ON slot (district, recorded_at, id);

CREATE TABLE staff (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  kind VARCHAR(32) NOT NULL,
  name_sealed BYTEA NOT NULL,
  phone_sealed BYTEA NOT NULL,
  certificate_no TEXT NOT NULL,
  certificate_from DATE NOT NULL,
  certificate_until DATE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_staff PRIMARY KEY (district, id),
  CONSTRAINT ck_staff_span CHECK (certificate_until >= certificate_from)
);

CREATE TABLE tip (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  event_id UUID NOT NULL,
  facts JSONB NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_tip PRIMARY KEY (district, id)
);

CREATE TABLE vehicle (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  kind VARCHAR(32) NOT NULL,
  plate TEXT NOT NULL,
  permit_no TEXT NOT NULL,
  permit_from DATE NOT NULL,
  permit_until DATE NOT NULL,
  max_cylinders INTEGER NOT NULL,
  max_nominal_g INTEGER NOT NULL,
  max_trips INTEGER NOT NULL,
  carries_50kg BOOLEAN NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_vehicle PRIMARY KEY (district, id),
  CONSTRAINT uq_vehicle_district_plate UNIQUE (district, plate),
  CONSTRAINT ck_vehicle_span CHECK (permit_until >= permit_from),
  CONSTRAINT ck_vehicle_limits CHECK (max_cylinders > 0 AND max_nominal_g > 0 AND max_trips > 0)
);

CREATE TABLE verdict_ask (
  id UUID NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_id UUID NOT NULL,
  district INTEGER NOT NULL,
  site_id UUID,
  purpose TEXT NOT NULL,
  code TEXT NOT NULL,
  cylinder_id UUID,
  allowed BOOLEAN NOT NULL,
  reasons JSONB NOT NULL,
  edition TEXT NOT NULL,
  facts_digest TEXT NOT NULL,
  CONSTRAINT pk_verdict_ask PRIMARY KEY (id)
);
CREATE INDEX ix_verdict_ask_asked_at ON verdict_ask (asked_at);

CREATE TABLE zone_set (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  version INTEGER NOT NULL,
  valid_from DATE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_zone_set PRIMARY KEY (district, id),
  CONSTRAINT uq_zone_set_district_version UNIQUE (district, version),
  CONSTRAINT uq_zone_set_district_valid_from UNIQUE (district, valid_from)
);

CREATE TABLE binding (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  courier_id UUID NOT NULL,
  vehicle_id UUID NOT NULL,
  device_id UUID NOT NULL,
  zone_district INTEGER NOT NULL,
  zone_id UUID NOT NULL,
  span TSTZRANGE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_binding PRIMARY KEY (district, id),
  CONSTRAINT fk_binding_district_courier_id FOREIGN KEY(district, courier_id) REFERENCES staff (district, id),
  CONSTRAINT fk_binding_district_vehicle_id FOREIGN KEY(district, vehicle_id) REFERENCES vehicle (district, id),
  CONSTRAINT fk_binding_district_device_id FOREIGN KEY(district, device_id) REFERENCES device (district, id),
  CONSTRAINT ex_binding_courier EXCLUDE USING gist (district WITH =, courier_id WITH =, span WITH &&),
  CONSTRAINT ex_binding_vehicle EXCLUDE USING gist (district WITH =, vehicle_id WITH =, span WITH &&),
  CONSTRAINT ex_binding_device EXCLUDE USING gist (district WITH =, device_id WITH =, span WITH &&)
);

CREATE TABLE custody_conflict (
  cylinder_id UUID NOT NULL,
  id UUID NOT NULL,
  fact_id UUID NOT NULL,
  standing_fact_id UUID,
  district INTEGER NOT NULL,
  card_id UUID,
  found_at TIMESTAMP WITH TIME ZONE NOT NULL,
  resolved_at TIMESTAMP WITH TIME ZONE,
  resolution TEXT,
  CONSTRAINT pk_custody_conflict PRIMARY KEY (cylinder_id, id),
  CONSTRAINT fk_custody_conflict_cylinder_id FOREIGN KEY(cylinder_id) REFERENCES cylinder (cylinder_id)
);

CREATE TABLE cylinder_hold (
  cylinder_id UUID NOT NULL,
  id UUID NOT NULL,
  kind VARCHAR(32) NOT NULL,
  reference TEXT NOT NULL,
  from_at TIMESTAMP WITH TIME ZONE NOT NULL,
  until_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_cylinder_hold PRIMARY KEY (cylinder_id, id),
  CONSTRAINT fk_cylinder_hold_cylinder_id FOREIGN KEY(cylinder_id) REFERENCES cylinder (cylinder_id),
  CONSTRAINT ck_cylinder_hold_span CHECK (until_at IS NULL OR until_at >= from_at)
);

CREATE TABLE cylinder_state (
  cylinder_id UUID NOT NULL,
  holder_kind VARCHAR(32),
  holder_id UUID,
  "full" BOOLEAN NOT NULL,
  filled_at TIMESTAMP WITH TIME ZONE,
  district INTEGER NOT NULL,
  card_id UUID,
  version INTEGER NOT NULL,
  effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
  device_id UUID,
  device_seq INTEGER,
  last_fact_id UUID NOT NULL,
  CONSTRAINT pk_cylinder_state PRIMARY KEY (cylinder_id),
  CONSTRAINT fk_cylinder_state_cylinder_id FOREIGN KEY(cylinder_id) REFERENCES cylinder (cylinder_id)
);

CREATE TABLE decision (
  id UUID NOT NULL,
  gate TEXT NOT NULL,
  district INTEGER NOT NULL,
  place TEXT NOT NULL,
  day DATE NOT NULL,
  edition TEXT NOT NULL,
  facts JSONB NOT NULL,
  allowed BOOLEAN NOT NULL,
  reasons JSONB NOT NULL,
  decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_decision PRIMARY KEY (id),
  CONSTRAINT fk_decision_edition FOREIGN KEY(edition) REFERENCES rulebook_edition (digest)
);
CREATE INDEX ix_decision_district_decided_at ON decision (district, decided_at);

CREATE TABLE device_inbox (
  district INTEGER NOT NULL,
  device_id UUID NOT NULL,
  device_seq INTEGER NOT NULL,
  signed TEXT NOT NULL,
  hash BYTEA NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_device_inbox PRIMARY KEY (district, device_id, device_seq),
  CONSTRAINT ck_device_inbox_seq CHECK (device_seq >= 1),
  CONSTRAINT fk_device_inbox_district_device_id FOREIGN KEY(district, device_id) REFERENCES device (district, id)
);

CREATE TABLE filling (
  cylinder_id UUID NOT NULL,
  id UUID NOT NULL,
  district INTEGER NOT NULL,
  site_id UUID NOT NULL,
  filler_id UUID NOT NULL,
  scale TEXT NOT NULL,
  tare_weighed_g INTEGER NOT NULL,
  residue_g INTEGER NOT NULL,
  net_g INTEGER NOT NULL,
  gross_g INTEGER NOT NULL,
  checks_before JSONB NOT NULL,
  checks_after JSONB NOT NULL,
  seal_no TEXT NOT NULL,
  decision_id UUID NOT NULL,
  filled_at TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_filling PRIMARY KEY (cylinder_id, id),
  CONSTRAINT fk_filling_cylinder_id FOREIGN KEY(cylinder_id) REFERENCES cylinder (cylinder_id),
  CONSTRAINT ck_filling_amounts CHECK (net_g > 0 AND tare_weighed_g > 0 AND residue_g >= 0)
);

CREATE TABLE hazard (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  household_id UUID NOT NULL,
  check_id UUID NOT NULL,
  item TEXT NOT NULL,
  grade VARCHAR(32) NOT NULL,
  blocking BOOLEAN NOT NULL,
  state VARCHAR(32) NOT NULL,
  deadline_on DATE,
  found_at TIMESTAMP WITH TIME ZONE NOT NULL,
  found_by UUID NOT NULL,
  mended_at TIMESTAMP WITH TIME ZONE,
  closed_at TIMESTAMP WITH TIME ZONE,
  closed_by UUID,
  closing_check_id UUID,
  CONSTRAINT pk_hazard PRIMARY KEY (district, id),
  CONSTRAINT fk_hazard_district_check_id FOREIGN KEY(district, check_id) REFERENCES safety_check (district, id)
);
CREATE INDEX ix_hazard_found_at ON hazard (district, found_at, id);
CREATE UNIQUE INDEX uq_hazard_open_item ON hazard (district, household_id, item) WHERE state <> 'closed';

CREATE TABLE household (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  premises_id UUID NOT NULL,
  user_class VARCHAR(32) NOT NULL,
  address_sealed BYTEA NOT NULL,
  vulnerable BOOLEAN NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_household PRIMARY KEY (district, id),
  CONSTRAINT fk_household_district_premises_id FOREIGN KEY(district, premises_id) REFERENCES premises (district, id)
);
CREATE UNIQUE INDEX uq_household_active_premises ON household (district, premises_id) WHERE closed_at IS NULL;

CREATE TABLE identity_check (
  person_id UUID NOT NULL,
  id UUID NOT NULL,
  document_kind TEXT NOT NULL,
  number_sealed BYTEA NOT NULL,
  valid_until DATE,
  method VARCHAR(32) NOT NULL,
  passed BOOLEAN NOT NULL,
  checked_by UUID NOT NULL,
  checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_identity_check PRIMARY KEY (person_id, id),
  CONSTRAINT fk_identity_check_person_id FOREIGN KEY(person_id) REFERENCES person (person_id)
);

CREATE TABLE inspection (
  cylinder_id UUID NOT NULL,
  id UUID NOT NULL,
  inspected_on DATE NOT NULL,
  day_precision TEXT NOT NULL,
  passed BOOLEAN NOT NULL,
  agency TEXT NOT NULL,
  report_no TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_inspection PRIMARY KEY (cylinder_id, id),
  CONSTRAINT fk_inspection_cylinder_id FOREIGN KEY(cylinder_id) REFERENCES cylinder (cylinder_id),
  CONSTRAINT uq_inspection_cylinder_id_agency_report_no UNIQUE (cylinder_id, agency, report_no)
);

CREATE TABLE outbox_delivery (
  district INTEGER NOT NULL,
  event_id UUID NOT NULL,
  consumer TEXT NOT NULL,
  state VARCHAR(32) NOT NULL,
  due_at TIMESTAMP WITH TIME ZONE NOT NULL,
  attempts INTEGER NOT NULL,
  last_error TEXT,
  CONSTRAINT pk_outbox_delivery PRIMARY KEY (district, event_id, consumer),
  CONSTRAINT fk_outbox_delivery_district_event_id FOREIGN KEY(district, event_id) REFERENCES outbox_event (district, id)
);
CREATE INDEX ix_outbox_delivery_due ON outbox_delivery (district, due_at) WHERE state = 'due';

CREATE TABLE resident_registration (
  person_id UUID NOT NULL,
  id UUID NOT NULL,
  district INTEGER NOT NULL,
  account_id UUID NOT NULL,
  active BOOLEAN NOT NULL,
  CONSTRAINT pk_resident_registration PRIMARY KEY (person_id, id),
  CONSTRAINT fk_resident_registration_person_id FOREIGN KEY(person_id) REFERENCES person (person_id)
);
CREATE UNIQUE INDEX uq_resident_registration_active ON resident_registration (person_id) WHERE active;

CREATE TABLE round (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  plan_id UUID NOT NULL,
  firm_id UUID NOT NULL,
  zone_id UUID NOT NULL,
  day DATE NOT NULL,
  binding_district INTEGER NOT NULL,
  binding_id UUID NOT NULL,
  courier_id UUID NOT NULL,
  vehicle_id UUID NOT NULL,
  supply_site_id UUID NOT NULL,
  state VARCHAR(32) NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_round PRIMARY KEY (district, id),
  CONSTRAINT fk_round_district_plan_id FOREIGN KEY(district, plan_id) REFERENCES round_plan (district, id)
);
CREATE INDEX ix_round_courier_id ON round (district, courier_id, day);
CREATE INDEX ix_round_plan_id ON round (district, plan_id);
CREATE INDEX ix_round_recorded_at ON round (district, recorded_at, id);
CREATE UNIQUE INDEX uq_round_started_courier ON round (district, courier_id) WHERE state = 'started';

CREATE TABLE scrapping (
  cylinder_id UUID NOT NULL,
  scrapped_on DATE NOT NULL,
  agency TEXT NOT NULL,
  certificate_no TEXT NOT NULL,
  method VARCHAR(32) NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_scrapping PRIMARY KEY (cylinder_id),
  CONSTRAINT fk_scrapping_cylinder_id FOREIGN KEY(cylinder_id) REFERENCES cylinder (cylinder_id)
);

CREATE TABLE site (
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  district INTEGER NOT NULL,
  name TEXT NOT NULL,
  kinds JSONB NOT NULL,
  lon DOUBLE PRECISION NOT NULL,
  lat DOUBLE PRECISION NOT NULL,
  stock_cap INTEGER NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_site PRIMARY KEY (id),
  CONSTRAINT fk_site_firm_id FOREIGN KEY(firm_id) REFERENCES firm (id)
);

CREATE TABLE supply_order (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  household_id UUID NOT NULL,
  account_id UUID NOT NULL,
  person_id UUID NOT NULL,
  premises_id UUID NOT NULL,
  firm_id UUID NOT NULL,
  zone_id UUID NOT NULL,
  slot_id UUID NOT NULL,
  purpose VARCHAR(32) NOT NULL,
  channel VARCHAR(32) NOT NULL,
  booked_by UUID NOT NULL,
  decision_id UUID NOT NULL,
  premises_decision_id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_supply_order PRIMARY KEY (district, id),
  CONSTRAINT fk_supply_order_district_slot_id FOREIGN KEY(district, slot_id) REFERENCES slot (district, id)
);
CREATE INDEX ix_supply_order_household_id ON supply_order (district, household_id);
CREATE INDEX ix_supply_order_person_id ON supply_order (district, person_id);
CREATE INDEX ix_supply_order_recorded_at ON supply_order (district, recorded_at, id);
CREATE INDEX ix_supply_order_slot_id ON supply_order (district, slot_id);

CREATE TABLE zone (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  zone_set_id UUID NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  firm_id UUID NOT NULL,
  supply_site_id UUID NOT NULL,
  outline JSONB NOT NULL,
  opens_s INTEGER NOT NULL,
  closes_s INTEGER NOT NULL,
  CONSTRAINT pk_zone PRIMARY KEY (district, id),
  CONSTRAINT uq_zone_district_zone_set_id_number UNIQUE (district, zone_set_id, number),
  CONSTRAINT fk_zone_district_zone_set_id FOREIGN KEY(district, zone_set_id) REFERENCES zone_set (district, id),
  CONSTRAINT ck_zone_hours CHECK (closes_s > opens_s AND opens_s >= 0 AND closes_s <= 86400)
);

CREATE TABLE account (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  household_id UUID NOT NULL,
  firm_id UUID NOT NULL,
  person_id UUID NOT NULL,
  state VARCHAR(32) NOT NULL,
  origin VARCHAR(32) NOT NULL,
  applied_on DATE NOT NULL,
  opened_on DATE NOT NULL,
  import_id UUID,
  to_review BOOLEAN NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_account PRIMARY KEY (district, id),
  CONSTRAINT fk_account_district_household_id FOREIGN KEY(district, household_id) REFERENCES household (district, id)
);
CREATE UNIQUE INDEX uq_account_live_household ON account (district, household_id) WHERE state <> 'closed';

CREATE TABLE check_item (
  district INTEGER NOT NULL,
  check_id UUID NOT NULL,
  item TEXT NOT NULL,
  result VARCHAR(32) NOT NULL,
  grade VARCHAR(32),
  measured INTEGER,
  photo_sha256 TEXT,
  hazard_id UUID,
  CONSTRAINT pk_check_item PRIMARY KEY (district, check_id, item),
  CONSTRAINT fk_check_item_district_check_id FOREIGN KEY(district, check_id) REFERENCES safety_check (district, id),
  CONSTRAINT fk_check_item_district_hazard_id FOREIGN KEY(district, hazard_id) REFERENCES hazard (district, id)
);

CREATE TABLE licence (
  id UUID NOT NULL,
  kind VARCHAR(32) NOT NULL,
  firm_id UUID,
  site_id UUID,
  number TEXT NOT NULL,
  valid_from DATE NOT NULL,
  valid_until DATE NOT NULL,
  CONSTRAINT pk_licence PRIMARY KEY (id),
  CONSTRAINT uq_licence_kind_number UNIQUE (kind, number),
  CONSTRAINT ck_licence_span CHECK (valid_until >= valid_from),
  CONSTRAINT ck_licence_one_holder CHECK ((firm_id IS NULL) <> (site_id IS NULL)),
  CONSTRAINT fk_licence_firm_id FOREIGN KEY(firm_id) REFERENCES firm (id),
  CONSTRAINT fk_licence_site_id FOREIGN KEY(site_id) REFERENCES site (id)
);

CREATE TABLE notice (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  hazard_id UUID NOT NULL,
  number TEXT NOT NULL,
  received_how VARCHAR(32) NOT NULL,
  told_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_notice PRIMARY KEY (district, id),
  CONSTRAINT fk_notice_district_hazard_id FOREIGN KEY(district, hazard_id) REFERENCES hazard (district, id),
  CONSTRAINT uq_notice_district_number UNIQUE (district, number)
);

CREATE TABLE order_line (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  order_id UUID NOT NULL,
  card_id UUID NOT NULL,
  cylinder_model TEXT NOT NULL,
  state VARCHAR(32) NOT NULL,
  failure TEXT,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_order_line PRIMARY KEY (district, id),
  CONSTRAINT fk_order_line_district_order_id FOREIGN KEY(district, order_id) REFERENCES supply_order (district, id)
);
CREATE INDEX ix_order_line_order_id ON order_line (district, order_id);
CREATE UNIQUE INDEX uq_order_line_open_card ON order_line (district, card_id) WHERE state IN ('booked', 'loaded');

CREATE TABLE round_stop (
  district INTEGER NOT NULL,
  round_id UUID NOT NULL,
  order_id UUID NOT NULL,
  trip INTEGER NOT NULL,
  position INTEGER NOT NULL,
  arrive_at TIMESTAMP WITH TIME ZONE NOT NULL,
  active BOOLEAN NOT NULL,
  CONSTRAINT pk_round_stop PRIMARY KEY (district, round_id, order_id),
  CONSTRAINT fk_round_stop_district_round_id FOREIGN KEY(district, round_id) REFERENCES round (district, id),
  CONSTRAINT uq_round_stop_district_round_id_trip_position UNIQUE (district, round_id, trip, position)
);
CREATE UNIQUE INDEX uq_round_stop_active_order ON round_stop (district, order_id) WHERE active;

CREATE TABLE zone_approval (
  district INTEGER NOT NULL,
  round_id UUID NOT NULL,
  order_id UUID NOT NULL,
  reason VARCHAR(32) NOT NULL,
  approved_by UUID NOT NULL,
  approved_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_zone_approval PRIMARY KEY (district, round_id, order_id),
  CONSTRAINT fk_zone_approval_district_round_id FOREIGN KEY(district, round_id) REFERENCES round (district, id)
);

CREATE TABLE card (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  account_id UUID NOT NULL,
  household_id UUID NOT NULL,
  user_class VARCHAR(32) NOT NULL,
  cylinder_model TEXT NOT NULL,
  credential TEXT NOT NULL,
  state VARCHAR(32) NOT NULL,
  exception VARCHAR(32),
  next_booking_at TIMESTAMP WITH TIME ZONE,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_card PRIMARY KEY (district, id),
  CONSTRAINT fk_card_district_account_id FOREIGN KEY(district, account_id) REFERENCES account (district, id),
  CONSTRAINT fk_card_district_household_id FOREIGN KEY(district, household_id) REFERENCES household (district, id),
  CONSTRAINT uq_card_district_credential UNIQUE (district, credential)
);
CREATE UNIQUE INDEX uq_card_live_resident_household ON card (district, household_id) WHERE state <> 'closed' AND user_class = 'resident';

CREATE TABLE contract (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  account_id UUID NOT NULL,
  firm_id UUID NOT NULL,
  number TEXT NOT NULL,
  valid_from DATE NOT NULL,
  valid_until DATE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_contract PRIMARY KEY (district, id),
  CONSTRAINT fk_contract_district_account_id FOREIGN KEY(district, account_id) REFERENCES account (district, id),
  CONSTRAINT ck_contract_span CHECK (valid_until >= valid_from)
);
"""

FENCES = r"""
CREATE FUNCTION machine_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'open' THEN
      RAISE EXCEPTION 'account: a new row must be open, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_account', TABLE = 'account';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('open', 'closed'), ('open', 'suspended'), ('suspended', 'closed'), ('suspended', 'open')) THEN
    RAISE EXCEPTION 'account: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_account', TABLE = 'account';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_account BEFORE INSERT OR UPDATE OF state ON account
  FOR EACH ROW EXECUTE FUNCTION machine_account();

CREATE FUNCTION machine_card() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'active' THEN
      RAISE EXCEPTION 'card: a new row must be active, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_card', TABLE = 'card';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('active', 'blocked'), ('active', 'closed'), ('active', 'lost'), ('blocked', 'active'), ('blocked', 'closed'), ('lost', 'active'), ('lost', 'closed')) THEN
    RAISE EXCEPTION 'card: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_card', TABLE = 'card';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_card BEFORE INSERT OR UPDATE OF state ON card
  FOR EACH ROW EXECUTE FUNCTION machine_card();

CREATE FUNCTION machine_cylinder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'in_service' THEN
      RAISE EXCEPTION 'cylinder: a new row must be in_service, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_cylinder', TABLE = 'cylinder';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('at_inspection', 'held'), ('at_inspection', 'in_service'), ('at_inspection', 'scrapped'), ('held', 'at_inspection'), ('held', 'in_service'), ('held', 'scrapped'), ('in_service', 'at_inspection'), ('in_service', 'held')) THEN
    RAISE EXCEPTION 'cylinder: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_cylinder', TABLE = 'cylinder';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_cylinder BEFORE INSERT OR UPDATE OF state ON cylinder
  FOR EACH ROW EXECUTE FUNCTION machine_cylinder();

CREATE FUNCTION machine_hazard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'found' THEN
      RAISE EXCEPTION 'hazard: a new row must be found, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_hazard', TABLE = 'hazard';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('found', 'told'), ('mended', 'closed'), ('mended', 'told'), ('told', 'mended')) THEN
    RAISE EXCEPTION 'hazard: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_hazard', TABLE = 'hazard';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_hazard BEFORE INSERT OR UPDATE OF state ON hazard
  FOR EACH ROW EXECUTE FUNCTION machine_hazard();

CREATE FUNCTION machine_order_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'booked' THEN
      RAISE EXCEPTION 'order line: a new row must be booked, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_order_line', TABLE = 'order_line';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('booked', 'cancelled'), ('booked', 'failed'), ('booked', 'loaded'), ('loaded', 'booked'), ('loaded', 'delivered'), ('loaded', 'failed'), ('loaded', 'withheld')) THEN
    RAISE EXCEPTION 'order line: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_order_line', TABLE = 'order_line';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_order_line BEFORE INSERT OR UPDATE OF state ON order_line
  FOR EACH ROW EXECUTE FUNCTION machine_order_line();

CREATE FUNCTION machine_round() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'planned' THEN
      RAISE EXCEPTION 'round: a new row must be planned, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_round', TABLE = 'round';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('planned', 'started'), ('started', 'finished')) THEN
    RAISE EXCEPTION 'round: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_round', TABLE = 'round';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_round BEFORE INSERT OR UPDATE OF state ON round
  FOR EACH ROW EXECUTE FUNCTION machine_round();

CREATE FUNCTION machine_round_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'proposed' THEN
      RAISE EXCEPTION 'plan: a new row must be proposed, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_round_plan', TABLE = 'round_plan';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('proposed', 'applied'), ('proposed', 'discarded')) THEN
    RAISE EXCEPTION 'plan: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_round_plan', TABLE = 'round_plan';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_round_plan BEFORE INSERT OR UPDATE OF state ON round_plan
  FOR EACH ROW EXECUTE FUNCTION machine_round_plan();

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%: rows are only ever added', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON custody_fact
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON custody_fact
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON cylinder_import
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON cylinder_import
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON delivery
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON delivery
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON evidence_entry
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON evidence_entry
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON evidence_link
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON evidence_link
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON rulebook_edition
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON rulebook_edition
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON safety_check
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON safety_check
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON verdict_ask
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON verdict_ask
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON decision
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON decision
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON device_inbox
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON device_inbox
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON filling
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON filling
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON identity_check
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON identity_check
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON inspection
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON inspection
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON scrapping
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON scrapping
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON check_item
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON check_item
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notice
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON notice
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON zone_approval
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON zone_approval
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

"""

GRANTS = """
GRANT USAGE ON SCHEMA public TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON account TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON api_token TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON binding TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON booking_repeat TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON card TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON card_holding TO lpg_app;
GRANT SELECT, INSERT ON check_item TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON contract TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON custody_conflict TO lpg_app;
GRANT SELECT, INSERT ON custody_fact TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON cylinder TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON cylinder_claim TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON cylinder_hold TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON cylinder_identifier TO lpg_app;
GRANT SELECT, INSERT ON cylinder_import TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON cylinder_load TO lpg_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON cylinder_state TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON cylinder_type TO lpg_app;
GRANT SELECT, INSERT ON decision TO lpg_app;
GRANT SELECT, INSERT ON delivery TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON demo_clock TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON device TO lpg_app;
GRANT SELECT, INSERT ON device_inbox TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON door_code TO lpg_app;
GRANT SELECT, INSERT ON evidence_entry TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON evidence_head TO lpg_app;
GRANT SELECT, INSERT ON evidence_link TO lpg_app;
GRANT SELECT, INSERT ON filling TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON firm TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON hazard TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON household TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON idempotency TO lpg_app;
GRANT SELECT, INSERT ON identity_check TO lpg_app;
GRANT SELECT, INSERT ON inspection TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON licence TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON line_load TO lpg_app;
GRANT SELECT, INSERT ON notice TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON order_line TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON outbox_delivery TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON outbox_event TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON person TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON person_document TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON premises TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON resident_registration TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON role_grant TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON round TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON round_plan TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON round_stop TO lpg_app;
GRANT SELECT, INSERT ON rulebook_edition TO lpg_app;
GRANT SELECT, INSERT ON safety_check TO lpg_app;
GRANT SELECT, INSERT ON scrapping TO lpg_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sealed_key TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON site TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON slot TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON staff TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON supply_order TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON tip TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON vehicle TO lpg_app;
GRANT SELECT, INSERT ON verdict_ask TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON zone TO lpg_app;
GRANT SELECT, INSERT ON zone_approval TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON zone_set TO lpg_app;
"""


def upgrade() -> None:
    for statements in (EXTENSION_AND_ROLE, TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("the first migration is not undone: drop the database instead")
