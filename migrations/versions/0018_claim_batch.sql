CREATE OR REPLACE FUNCTION duty_free_claim_batch(
  campaign uuid, claimed_at timestamptz, today date,
  people uuid[], keys bytea[], ids uuid[], numbers text[], actors uuid[], requests text[], addresses text[]
) RETURNS TABLE (
  ord bigint, outcome text, id uuid, number text, face_fen bigint, threshold_fen bigint,
  valid_until timestamptz
)
LANGUAGE plpgsql
-- A plan is kept as long as its connection, and is made while the tables may be empty: they must not be read
-- from end to end once they hold millions.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
  found duty_free_campaign;
  sold_today bigint;
  room bigint;
  sold bigint;
  is_open boolean;
BEGIN
  -- The lock first and in a statement of its own, so that those below see what others committed before it.
  SELECT c.* INTO found FROM duty_free_campaign c WHERE c.id = campaign FOR UPDATE;
  IF found.id IS NULL THEN
    RETURN QUERY SELECT n, 'not-found', NULL::uuid, NULL::text, NULL::bigint, NULL::bigint, NULL::timestamptz
      FROM generate_series(1, cardinality(keys)::bigint) n;
    RETURN;
  END IF;
  is_open := found.state = 'open' AND claimed_at >= found.opens_at AND claimed_at < found.closes_at;
  SELECT coalesce(max(d.claimed), 0) INTO sold_today
    FROM duty_free_campaign_day d WHERE d.campaign_id = campaign AND d.day = today;
  room := CASE WHEN is_open
    THEN greatest(0, least(found.stock_left, coalesce(found.stock_day, found.stock) - sold_today)) ELSE 0 END;

  -- Whose key has a voucher takes no slot; of one key twice in a batch the first alone does.
  WITH asked AS (
    SELECT a.*, row_number() OVER (PARTITION BY a.key ORDER BY a.ord) AS turn
    FROM unnest(people, keys, ids, numbers, actors, requests, addresses) WITH ORDINALITY
      AS a (person, key, id, number, actor, request, address, ord)
  ), fresh AS (
    SELECT asked.*, held.had, held.had_today,
      row_number() OVER (PARTITION BY asked.person ORDER BY asked.ord) AS more
    FROM asked CROSS JOIN LATERAL (
      SELECT count(*) AS had, count(*) FILTER (WHERE v.day = today) AS had_today
      FROM duty_free_voucher v WHERE v.campaign_id = campaign AND v.person_id = asked.person
    ) held
    WHERE turn = 1
      -- Visitors are those whom we know by another document than the identity card.
      AND (found.for_visitors
        OR EXISTS (SELECT FROM identity_person p WHERE p.id = asked.person AND p.id_type = '111'))
      AND NOT EXISTS (SELECT FROM duty_free_voucher v WHERE v.request_key = asked.key)
  ), may AS (
    SELECT fresh.* FROM fresh
    WHERE had + more <= found.per_person AND had_today + more <= found.per_person_day
    ORDER BY fresh.ord LIMIT room
  ), given AS (
    INSERT INTO duty_free_voucher (
      id, number, campaign_id, person_id, slot, request_key, claimed_at, day, valid_until, face_fen,
      threshold_fen, state
    )
    SELECT may.id, may.number, campaign, may.person, had + more, may.key, claimed_at, today,
      claimed_at + make_interval(hours => found.valid_hours::int), found.face_fen, found.threshold_fen,
      'claimed'
    FROM may
    RETURNING id
  ), audited AS (
    INSERT INTO audit_record (
      id, at, action, outcome, actor_kind, actor_id, subject, object_kind, object_id, fields, request_id,
      address
    )
    SELECT may.id, claimed_at, 'duty-free.claim', 'done', 'resident', may.actor, s.pseudonym, 'voucher',
      may.id, '{}', may.request, may.address
    FROM may LEFT JOIN audit_subject s ON s.person_id = may.person
  )
  SELECT count(*) INTO sold FROM given;

  IF sold > 0 THEN
    UPDATE duty_free_campaign c SET stock_left = c.stock_left - sold WHERE c.id = campaign;
    INSERT INTO duty_free_campaign_day AS d (campaign_id, day, claimed) VALUES (campaign, today, sold)
      ON CONFLICT (campaign_id, day) DO UPDATE SET claimed = d.claimed + excluded.claimed;
  END IF;

  RETURN QUERY
    SELECT a.ord,
      CASE
        WHEN v.id IS NOT NULL THEN 'claimed'
        WHEN NOT is_open THEN 'not-open'
        WHEN NOT found.for_visitors AND NOT EXISTS (
          SELECT FROM identity_person p WHERE p.id = a.person AND p.id_type = '111'
        ) THEN 'not-for-visitors'
        WHEN held.in_all >= found.per_person AND found.per_person = 1 THEN 'already-claimed'
        WHEN held.in_all >= found.per_person OR held.of_today >= found.per_person_day THEN 'limit-reached'
        ELSE 'sold-out'
      END,
      v.id, v.number, v.face_fen, v.threshold_fen, v.valid_until
    FROM unnest(people, keys) WITH ORDINALITY AS a (person, key, ord)
    LEFT JOIN duty_free_voucher v ON v.request_key = a.key
    CROSS JOIN LATERAL (
      SELECT count(*) AS in_all, count(*) FILTER (WHERE w.day = today) AS of_today
      -- Only of those who got none.
      FROM duty_free_voucher w WHERE v.id IS NULL AND w.campaign_id = campaign AND w.person_id = a.person
    ) held
    ORDER BY a.ord;
END $$
