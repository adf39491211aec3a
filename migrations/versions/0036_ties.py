"""Who held an account before it passed to another is known until their term is over; proxies are found by person.

Before: a former holder was known where a home passed within itself, and stayed on file for ever after a transfer; a
consent was found by its home alone; the past of a card, what was revealed of a person, a person's reviews, the checks
and finished rounds of an order by reading everybody's. During: a new table, filled from
the successions and from the evidence of past transfers; indexes. After: each passing on leaves a row, and whoever
holds nothing any more is found by it.
"""

from alembic import op

revision = "0036"
down_revision = "0037"

TABLES = """
CREATE TABLE former_holder (
  district INTEGER NOT NULL,
  account_id UUID NOT NULL,
  person_id UUID NOT NULL,
  until_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_former_holder PRIMARY KEY (district, account_id, person_id, until_at),
  CONSTRAINT fk_former_holder_district_account_id FOREIGN KEY(district, account_id) REFERENCES account (district, id)
);

CREATE INDEX ix_former_holder_person_id ON former_holder (person_id);

CREATE INDEX ix_proxy_consent_person_id ON proxy_consent (person_id);
DROP INDEX ix_proxy_consent_proxy_id;
CREATE INDEX ix_proxy_consent_proxy_id ON proxy_consent (proxy_id);
DROP INDEX ix_proxy_consent_phone;
CREATE INDEX ix_proxy_consent_phone ON proxy_consent (phone_scheme, phone_index) WHERE state = 'named';

CREATE INDEX ix_card_holding_card_id ON card_holding (district, card_id);
CREATE INDEX ix_refusal_review_person_id ON refusal_review (district, person_id);
CREATE INDEX ix_reveal_person_id ON reveal (district, person_id);
CREATE INDEX ix_round_stop_order_id ON round_stop (district, order_id);
CREATE INDEX ix_safety_check_order_id ON safety_check (district, order_id);
"""

PAST = """
INSERT INTO former_holder (district, account_id, person_id, until_at)
SELECT district, account_id, from_person_id, decided_at FROM succession WHERE state = 'approved'
ON CONFLICT DO NOTHING;

-- An entry of a transfer touches both people: whoever is not the holder now was so until the last of theirs.
INSERT INTO former_holder (district, account_id, person_id, until_at)
SELECT account.district, account.id, person.person_id, entry.recorded_at
FROM evidence_entry AS entry
JOIN evidence_link AS link ON link.entry_id = entry.id AND link.subject_type = 'person'
JOIN person ON person.person_id = link.subject_key::uuid
JOIN account ON account.district = entry.district
  AND account.id = (convert_from(entry.written, 'UTF8')::jsonb -> 'payload' ->> 'account_id')::uuid
WHERE entry.verb = 'account.transfer' AND entry.outcome = 'done' AND person.person_id <> account.person_id
ON CONFLICT DO NOTHING;
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON former_holder
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON former_holder
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON former_holder TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, PAST, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    raise NotImplementedError("who held what is kept until their term is over: it is not dropped")
