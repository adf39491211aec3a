"""A refusal of supply is told in writing, and every written thing a home is told has its receipts at one place.

Before: hazards were told by numbered notices with receipts; the answers to reviews had receipts of their own (0023) and
no number; a refusal was a page, a number and a message. During: each answer that was written becomes a notice under the
review's own id, its receipts are taken over, and their old table goes; it held nothing else. A receipt may also say that
a notice was left before a witness. After: a refusal's notice names its entry, and is proved received as a hazard's is.
"""

from alembic import op

revision = "0042"
down_revision = "0041"

ONE_PLACE = """
ALTER TABLE notice ALTER COLUMN hazard_id DROP NOT NULL;
ALTER TABLE notice_receipt DROP CONSTRAINT ck_notice_receipt_witnessed;
ALTER TABLE notice_receipt ADD CONSTRAINT ck_notice_receipt_witnessed
  CHECK ((witness IS NOT NULL) = (received_how IN ('refused_to_sign', 'left')));
ALTER TABLE refusal_review ADD COLUMN answer_notice_id UUID;
INSERT INTO notice (district, id, hazard_id, number, received_how, told_at)
  SELECT district, id, NULL,
    to_char(answered_at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || '-' || upper(right(replace(id::text, '-', ''), 8)),
    'electronic', answered_at
  FROM refusal_review WHERE answered_at IS NOT NULL;
UPDATE refusal_review SET answer_notice_id = id WHERE answered_at IS NOT NULL;
INSERT INTO notice_receipt (district, id, notice_id, received_how, signature_sha256, witness, witness_sha256, received_at, recorded_by, recorded_at)
  SELECT district, id, review_id, received_how, signature_sha256, witness, witness_sha256, received_at, recorded_by, received_at
  FROM review_receipt;
DROP TABLE review_receipt;
ALTER TABLE refusal_review ADD CONSTRAINT fk_refusal_review_district_answer_notice_id
  FOREIGN KEY (district, answer_notice_id) REFERENCES notice (district, id);
CREATE INDEX ix_refusal_review_answer_notice_id ON refusal_review (district, answer_notice_id);
"""

TABLES = """
CREATE TABLE refusal_notice (
  district INTEGER NOT NULL,
  notice_id UUID NOT NULL,
  entry_id UUID NOT NULL,
  refusal_no TEXT NOT NULL,
  household_id UUID NOT NULL,
  person_id UUID NOT NULL,
  firm_id UUID,
  street_code TEXT NOT NULL,
  ask_until_on DATE NOT NULL,
  issued_by UUID NOT NULL,
  CONSTRAINT pk_refusal_notice PRIMARY KEY (district, notice_id),
  CONSTRAINT fk_refusal_notice_district_notice_id FOREIGN KEY(district, notice_id) REFERENCES notice (district, id),
  CONSTRAINT uq_refusal_notice_district_entry_id UNIQUE (district, entry_id)
);

CREATE INDEX ix_refusal_notice_household_id ON refusal_notice (district, household_id);
CREATE INDEX ix_refusal_notice_person_id ON refusal_notice (district, person_id);
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON refusal_notice
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON refusal_notice
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON refusal_notice TO lpg_app;
"""


def upgrade() -> None:
    for statements in (ONE_PLACE, TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    raise NotImplementedError("what a home was told in writing is evidence: it is not dropped")
