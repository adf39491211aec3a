"""The hazard register, closed: who signed a check, what proves that a notice was received, who looked.

Before: checks say only whether the user signed; notices only how they were handed over. During: one
transaction; a column and two tables of safety are added, and oversight's log of looks. After: a check made
from now on has two signatures under its answers; checks of before have none, and say so.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
ALTER TABLE safety_check ADD COLUMN remote_reason VARCHAR(32);

CREATE TABLE check_signature (
  district INTEGER NOT NULL,
  check_id UUID NOT NULL,
  side VARCHAR(32) NOT NULL,
  how VARCHAR(32) NOT NULL,
  content_sha256 TEXT NOT NULL,
  signature_sha256 TEXT,
  CONSTRAINT pk_check_signature PRIMARY KEY (district, check_id, side),
  CONSTRAINT fk_check_signature_district_check_id FOREIGN KEY(district, check_id) REFERENCES safety_check (district, id),
  CONSTRAINT ck_check_signature_drawn CHECK ((signature_sha256 IS NOT NULL) = (how = 'signature'))
);

CREATE TABLE notice_receipt (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  notice_id UUID NOT NULL,
  received_how VARCHAR(32) NOT NULL,
  signature_sha256 TEXT,
  witness VARCHAR(32),
  witness_sha256 TEXT,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_notice_receipt PRIMARY KEY (district, id),
  CONSTRAINT fk_notice_receipt_district_notice_id FOREIGN KEY(district, notice_id) REFERENCES notice (district, id),
  CONSTRAINT ck_notice_receipt_signed CHECK ((signature_sha256 IS NOT NULL) = (received_how = 'signed')),
  CONSTRAINT ck_notice_receipt_witnessed CHECK ((witness IS NOT NULL) = (received_how = 'refused_to_sign')),
  CONSTRAINT ck_notice_receipt_witness_signed CHECK ((witness IS NULL) = (witness_sha256 IS NULL))
);
CREATE INDEX ix_notice_receipt_notice_id ON notice_receipt (district, notice_id);

CREATE TABLE look (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  principal_id UUID NOT NULL,
  grant_id UUID,
  kind VARCHAR(32) NOT NULL,
  subject_id UUID NOT NULL,
  looked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_look PRIMARY KEY (district, id)
);
CREATE INDEX ix_look_subject_id ON look (district, kind, subject_id);
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON check_signature
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON check_signature
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notice_receipt
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON notice_receipt
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON look
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON look
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON check_signature TO lpg_app;
GRANT SELECT, INSERT ON look TO lpg_app;
GRANT SELECT, INSERT ON notice_receipt TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    raise NotImplementedError("signatures and receipts are evidence: they are not dropped")
