-- The ledger's one door, in the database. Web and worker (role cadres_app) may read these tables
-- and call these functions; they may not insert, change or delete a transfer themselves.
--
-- Locks are always taken in this order: the cycle (shared; exclusive to change its status), the
-- members' accounts by primary key, the postings by source. Inside a function every statement
-- sees what was committed when it began, so what is read after a lock is what the lock protects.
-- Rows are locked FOR NO KEY UPDATE: FOR UPDATE would wait for those who only refer to them.
-- Refusals carry an SQLSTATE of their own (PT…), which points/ledger.py turns into exceptions.
-- pg_temp stands last in the search path, or a temporary table could pass itself off as a real one.

-- ---- cycles -----------------------------------------------------------------------------------

CREATE FUNCTION points_cycle_begins() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO points_account (cycle_id, kind, frozen_why)
    SELECT NEW.id, kind, '' FROM unnest(ARRAY[
        'issued', 'redeemed', 'expired', 'carried_in', 'carried_out']) kind;
    RETURN NULL;
END $$;
CREATE TRIGGER cycle_begins AFTER INSERT ON points_cycle
    FOR EACH ROW EXECUTE FUNCTION points_cycle_begins();

-- open → closing → closed, never back; a closed cycle holds no member's points and stays as it is.
CREATE FUNCTION points_cycle_changes() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(20181880, OLD.id::int);
    IF OLD.status = 'closed' THEN
        RAISE EXCEPTION 'cycle % is closed', OLD.year USING ERRCODE = 'PT001';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN
            (('open', 'closing'), ('closing', 'closed')) THEN
        RAISE EXCEPTION 'cycle % goes from open to closing to closed', OLD.year
            USING ERRCODE = 'PT001';
    END IF;
    IF NEW.status = 'closed' AND EXISTS (
            SELECT FROM points_account WHERE cycle_id = OLD.id AND balance > 0) THEN
        RAISE EXCEPTION 'cycle % still holds points', OLD.year USING ERRCODE = 'PT001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cycle_changes BEFORE UPDATE ON points_cycle
    FOR EACH ROW EXECUTE FUNCTION points_cycle_changes();

-- Holds the cycles against a change of status for the rest of the transaction.
CREATE FUNCTION points_hold_cycles(a_cycles bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(20181880, c::int)
    FROM (SELECT DISTINCT c FROM unnest(a_cycles) c WHERE c IS NOT NULL ORDER BY c) held;
END $$;

-- The same for the cycles of some days.
CREATE FUNCTION points_hold_cycles_of(a_days date[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(20181880, held.id::int)
    FROM (SELECT c.id FROM points_cycle c WHERE EXISTS (SELECT FROM unnest(a_days) day
        WHERE day BETWEEN c.starts_on AND c.ends_on) ORDER BY c.id) held;
END $$;

CREATE FUNCTION points_is_movable(a_cycle bigint, a_today date) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM points_cycle WHERE id = a_cycle AND status <> 'closed'
        AND published_at IS NULL AND a_today BETWEEN starts_on AND redeem_until)
$$;

-- Awards are taken back, and points adjusted, until the year's end is published: what is found wrong
-- after the last day of redeeming is put right in the year itself. What is given back is not: it
-- would only expire.
CREATE FUNCTION points_is_correctable(a_cycle bigint, a_today date) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM points_cycle WHERE id = a_cycle AND status <> 'closed'
        AND published_at IS NULL AND a_today >= starts_on)
$$;

-- ---- balances follow the transfers ---------------------------------------------------------------

CREATE FUNCTION points_transfers_move() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(20181880, c::int)
    FROM (SELECT DISTINCT cycle_id AS c FROM moved) held;
    IF EXISTS (SELECT FROM moved m JOIN points_cycle c ON c.id = m.cycle_id
            WHERE c.status = 'closed'
               OR (c.published_at IS NOT NULL AND m.kind NOT IN ('expire', 'carry'))) THEN
        RAISE EXCEPTION 'nothing moves in this cycle any more' USING ERRCODE = 'PT001';
    END IF;
    UPDATE points_account a SET balance = a.balance + d.delta
    FROM (
        SELECT account_id, sum(delta) AS delta FROM (
            SELECT to_account_id AS account_id, amount AS delta FROM moved
            UNION ALL SELECT from_account_id, -amount FROM moved
        ) m GROUP BY account_id
    ) d
    WHERE a.id = d.account_id AND a.kind = 'member';
    RETURN NULL;
END $$;
CREATE TRIGGER transfers_move AFTER INSERT ON points_transfer
    REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION points_transfers_move();

-- A new account begins at zero; of somebody who has died or moved away it begins frozen. The person
-- is held: whoever registers the departure at the same time freezes this account as well.
CREATE FUNCTION points_account_begins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE status text;
BEGIN
    IF NEW.balance <> 0 THEN
        RAISE EXCEPTION 'an account begins at zero' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.kind = 'member' THEN
        SELECT r.status INTO status FROM cadres_retiree r WHERE r.id = NEW.retiree_id FOR SHARE;
        IF status <> 'active' THEN
            NEW.frozen_at := now();
            NEW.frozen_why := CASE status WHEN 'deceased' THEN '去世' ELSE '转出' END;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_begins BEFORE INSERT ON points_account
    FOR EACH ROW EXECUTE FUNCTION points_account_begins();

-- The system's account of a kind in a cycle.
CREATE FUNCTION points_system(a_cycle bigint, a_kind text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT id FROM points_account WHERE cycle_id = a_cycle AND kind = a_kind
$$;

-- One transfer; its number.
CREATE FUNCTION points_write(
    a_cycle bigint, a_from bigint, a_to bigint, a_amount int, a_kind text, a_key text,
    a_day date, a_now timestamptz, a_by bigint, a_approved_by bigint DEFAULT NULL,
    a_memo text DEFAULT '', a_rule bigint DEFAULT NULL, a_posting bigint DEFAULT NULL,
    a_shortfall bigint DEFAULT NULL, a_reverses bigint DEFAULT NULL
) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO points_transfer (cycle_id, from_account_id, to_account_id, amount, kind, key,
        occurred_on, posted_at, posted_by_id, approved_by_id, memo, rule_id, posting_id,
        shortfall_id, reverses_id)
    VALUES (a_cycle, a_from, a_to, a_amount, a_kind, a_key, a_day, a_now, a_by, a_approved_by,
        left(a_memo, 200), a_rule, a_posting, a_shortfall, a_reverses)
    RETURNING id
$$;

-- The person's account in a cycle, made when there is none; locked.
CREATE FUNCTION points_member(a_cycle bigint, a_retiree bigint) RETURNS points_account
LANGUAGE plpgsql AS $$
DECLARE found_account points_account;
BEGIN
    INSERT INTO points_account (cycle_id, kind, retiree_id, balance, frozen_why)
    SELECT a_cycle, 'member', a_retiree, 0, '' WHERE NOT EXISTS (SELECT FROM points_account
        WHERE cycle_id = a_cycle AND retiree_id = a_retiree)
    ON CONFLICT DO NOTHING;
    SELECT * INTO found_account FROM points_account
    WHERE cycle_id = a_cycle AND retiree_id = a_retiree AND kind = 'member' FOR NO KEY UPDATE;
    RETURN found_account;
END $$;

-- The accounts of many people on many days, made where there is none; locked by primary key.
CREATE FUNCTION points_hold_members(a_retirees bigint[], a_days date[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO points_account (cycle_id, kind, retiree_id, balance, frozen_why)
    SELECT c.id, 'member', u.retiree, 0, ''
    FROM (SELECT DISTINCT retiree, day FROM unnest(a_retirees, a_days) x (retiree, day)) u
    JOIN points_cycle c ON u.day BETWEEN c.starts_on AND c.ends_on AND c.status <> 'closed'
    WHERE NOT EXISTS (SELECT FROM points_account a
        WHERE a.cycle_id = c.id AND a.retiree_id = u.retiree)
    GROUP BY c.id, u.retiree ORDER BY c.id, u.retiree
    ON CONFLICT DO NOTHING;
    PERFORM FROM (
        SELECT a.id FROM points_account a WHERE a.id IN (
            SELECT m.id FROM unnest(a_retirees, a_days) u (retiree, day)
            JOIN points_cycle c ON u.day BETWEEN c.starts_on AND c.ends_on
            JOIN points_account m ON m.cycle_id = c.id AND m.retiree_id = u.retiree
        ) ORDER BY a.id FOR NO KEY UPDATE
    ) held;
END $$;

-- ---- what could not be taken is taken from what comes ------------------------------------------

-- Takes up to `a_most` out of a locked account for the open shortfalls of its person.
CREATE FUNCTION points_pay_shortfalls(
    a_account points_account, a_most int, a_today date, a_now timestamptz, a_by bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE owed points_shortfall; part int; room int := a_most;
BEGIN
    FOR owed IN SELECT * FROM points_shortfall
        WHERE retiree_id = a_account.retiree_id AND "left" > 0 ORDER BY id FOR NO KEY UPDATE
    LOOP
        EXIT WHEN room <= 0;
        part := LEAST(owed."left", room);
        PERFORM points_write(a_account.cycle_id, a_account.id,
            points_system(a_account.cycle_id, 'issued'), part, 'deduct',
            'shortfall:' || owed.id || '#' || (SELECT count(*) + 1 FROM points_transfer
                WHERE shortfall_id = owed.id AND reverses_id IS NULL),
            a_today, a_now, a_by, NULL, '补扣以前欠扣的积分', NULL, owed.posting_id, owed.id);
        UPDATE points_shortfall SET "left" = "left" - part WHERE id = owed.id;
        room := room - part;
    END LOOP;
END $$;

-- ---- awards -------------------------------------------------------------------------------------

-- Awards what causes are owed: arrays of the same length, one element a cause. A source that is
-- posted already gives nothing; a reversed one is awarded anew. What comes too late, or to a frozen
-- account, waits for a second person. Returns the sources whose points moved or now wait.
--
-- With plans that know the arrays' lengths every call would be planned again, which takes three
-- times as long as doing it; the plans that do not know them are good for a thousand as well.
CREATE FUNCTION points_award(
    a_sources text[], a_retirees bigint[], a_codes text[], a_days date[], a_units numeric[],
    a_memos text[], a_today date, a_now timestamptz, a_by bigint
) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE todo bigint[]; touched points_account; gained int;
BEGIN
    IF a_today < ANY(a_days) THEN
        RAISE EXCEPTION 'not yet' USING ERRCODE = 'PT002';
    END IF;
    PERFORM points_hold_cycles_of(a_days);
    PERFORM points_hold_members(a_retirees, a_days);
    IF points_are_fresh(a_sources, a_codes, a_days) THEN
        todo := points_award_fresh(
            a_sources, a_retirees, a_codes, a_days, a_units, a_memos, a_today, a_now, a_by);
    ELSE
        todo := points_award_known(
            a_sources, a_retirees, a_codes, a_days, a_units, a_memos, a_today, a_now, a_by);
    END IF;
    IF todo IS NULL THEN
        RETURN;
    END IF;
    PERFORM FROM (SELECT id FROM points_shortfall
        WHERE retiree_id = ANY(a_retirees) AND "left" > 0 ORDER BY id FOR NO KEY UPDATE) held;
    IF FOUND THEN
        FOR touched IN SELECT a.* FROM points_account a WHERE a.id IN (
            SELECT account_id FROM points_posting WHERE id = ANY(todo) AND state = 'posted')
            ORDER BY a.id
        LOOP
            SELECT sum(posted) INTO gained FROM points_posting
            WHERE id = ANY(todo) AND state = 'posted' AND account_id = touched.id;
            PERFORM points_pay_shortfalls(touched, gained, a_today, a_now, a_by);
        END LOOP;
    END IF;
    RETURN QUERY SELECT source::text FROM points_posting WHERE id = ANY(todo);
END $$;

-- The same for one cause, and what the books then say of it: nothing when no rule is enabled.
CREATE FUNCTION points_award_one(
    a_source text, a_retiree bigint, a_code text, a_day date, a_units numeric, a_memo text,
    a_today date, a_now timestamptz, a_by bigint
) RETURNS SETOF points_posting LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM points_award(ARRAY[a_source], ARRAY[a_retiree], ARRAY[a_code], ARRAY[a_day],
        ARRAY[a_units], ARRAY[a_memo], a_today, a_now, a_by);
    RETURN QUERY SELECT * FROM points_posting WHERE source = a_source;
END $$;

-- Whether none of the sources is known and of each rule only one version counts on these days:
-- then one statement can do it.
CREATE FUNCTION points_are_fresh(a_sources text[], a_codes text[], a_days date[])
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM points_posting WHERE source = ANY(a_sources))
        AND NOT EXISTS (SELECT FROM points_rule WHERE code = ANY(a_codes)
            AND valid_from > (SELECT min(day) FROM unnest(a_days) day)
            AND valid_from <= (SELECT max(day) FROM unnest(a_days) day));
END $$;

-- What was never sent before, as it stands in the end: the posting and, where points move, its
-- transfer, whose number the posting takes beforehand. Under the locks; the postings' numbers.
CREATE FUNCTION points_award_fresh(
    a_sources text[], a_retirees bigint[], a_codes text[], a_days date[], a_units numeric[],
    a_memos text[], a_today date, a_now timestamptz, a_by bigint
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE made bigint[]; wanted int; lost text[];
BEGIN
    WITH sent AS (
        SELECT DISTINCT ON (u.source) u.source, u.retiree, u.code, u.day, left(u.memo, 200) AS memo,
            r.id AS rule_id, r.cap_per_cycle AS cap, round(r.points * u.units)::int AS due,
            a.id AS account_id, a.cycle_id, CASE
                WHEN c.id IS NULL THEN '这一年还没有开账'
                WHEN a.id IS NULL OR c.status = 'closed' OR c.published_at IS NOT NULL
                    OR a_today NOT BETWEEN c.starts_on AND c.redeem_until
                    THEN '送来时这一年已经结转'
                WHEN t.status <> 'active' THEN '本人已去世或转出'
                WHEN a.frozen_at IS NOT NULL THEN '账户已冻结' END AS why
        FROM unnest(a_sources, a_retirees, a_codes, a_days, a_units, a_memos)
            WITH ORDINALITY u (source, retiree, code, day, units, memo, nr)
        JOIN LATERAL (SELECT * FROM points_rule WHERE points_rule.code = u.code
            AND valid_from <= u.day ORDER BY valid_from DESC LIMIT 1) r
            ON r.is_enabled AND r.direction = 'award'
        LEFT JOIN cadres_retiree t ON t.id = u.retiree
        LEFT JOIN points_cycle c ON u.day BETWEEN c.starts_on AND c.ends_on
        LEFT JOIN points_account a ON a.cycle_id = c.id AND a.retiree_id = u.retiree
        WHERE round(r.points * u.units) > 0
        ORDER BY u.source, u.nr
    ), cut AS (
        SELECT s.*, CASE WHEN why IS NOT NULL THEN 0 WHEN cap IS NULL THEN due
            ELSE GREATEST(0, LEAST(due, cap
                - COALESCE(sum(due) FILTER (WHERE why IS NULL) OVER (
                    PARTITION BY account_id, code ORDER BY source
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
                - COALESCE((SELECT sum(p.posted) FROM points_posting p
                    WHERE p.account_id = s.account_id AND p.code = s.code
                    AND p.state = 'posted'), 0)))::int END AS granted
        FROM sent s
    ), posted AS (
        INSERT INTO points_posting (source, retiree_id, rule_id, code, account_id, occurred_on,
            due, posted, cut, short, revision, state, waits_why, is_reversal_waiting, transfer_id,
            memo, sent_by_id, reason)
        SELECT source, retiree, rule_id, code, account_id, day, due, granted,
            CASE WHEN why IS NULL THEN due - granted ELSE 0 END, 0, (why IS NULL)::int,
            CASE WHEN why IS NULL THEN 'posted' ELSE 'waiting' END, COALESCE(why, ''), FALSE,
            CASE WHEN granted > 0 THEN nextval('points_transfer_id_seq') END, memo, a_by, ''
        FROM cut ORDER BY source
        ON CONFLICT (source) DO NOTHING
        RETURNING id, source, rule_id, account_id, occurred_on, posted, transfer_id, memo
    ), written AS (
        INSERT INTO points_transfer (id, cycle_id, from_account_id, to_account_id, amount, kind,
            rule_id, posting_id, key, occurred_on, posted_at, posted_by_id, memo)
        SELECT p.transfer_id, a.cycle_id, i.id, a.id, p.posted, 'award', p.rule_id, p.id,
            p.source || '#1', p.occurred_on, a_now, a_by, p.memo
        FROM posted p JOIN points_account a ON a.id = p.account_id
        JOIN points_account i ON i.cycle_id = a.cycle_id AND i.kind = 'issued'
        WHERE p.transfer_id IS NOT NULL ORDER BY p.id
    )
    SELECT (SELECT array_agg(id) FROM posted), (SELECT count(*) FROM sent),
        (SELECT array_agg(source) FROM sent WHERE why IS NULL
            AND source NOT IN (SELECT source FROM posted))
    INTO made, wanted, lost;
    IF wanted < cardinality(a_sources) OR COALESCE(cardinality(made), 0) < wanted THEN
        PERFORM points_owners_agree(a_sources, a_retirees);
    END IF;
    -- Somebody else has sent it for another year meanwhile: what the cap left was reckoned with it.
    IF cardinality(lost) > 0 AND wanted > 1 THEN
        RAISE EXCEPTION 'somebody else is at it' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN made;
END $$;

-- Nobody takes a source that belongs to another person.
CREATE FUNCTION points_owners_agree(a_sources text[], a_retirees bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(a_sources, a_retirees) u (source, retiree)
            JOIN points_posting p ON p.source = u.source AND p.retiree_id <> u.retiree) THEN
        RAISE EXCEPTION 'the source belongs to somebody else' USING ERRCODE = 'PT003';
    END IF;
END $$;

-- The same where some are known already, or a rule changes in between. Under the locks.
CREATE FUNCTION points_award_known(
    a_sources text[], a_retirees bigint[], a_codes text[], a_days date[], a_units numeric[],
    a_memos text[], a_today date, a_now timestamptz, a_by bigint
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE todo bigint[]; made bigint[]; version date;
BEGIN
    WITH fresh AS (INSERT INTO points_posting (source, retiree_id, rule_id, code, account_id, occurred_on, due,
        posted, cut, short, revision, state, waits_why, is_reversal_waiting, memo, sent_by_id,
        reason)
    SELECT u.source, u.retiree, r.id, u.code, a.id, u.day, round(r.points * u.units),
        0, 0, 0, 0, 'reversed', '', FALSE, left(u.memo, 200), a_by, ''
    FROM unnest(a_sources, a_retirees, a_codes, a_days, a_units, a_memos)
        WITH ORDINALITY u (source, retiree, code, day, units, memo, nr)
    JOIN LATERAL (SELECT * FROM points_rule WHERE points_rule.code = u.code
        AND valid_from <= u.day ORDER BY valid_from DESC LIMIT 1) r
        ON r.is_enabled AND r.direction = 'award'
    LEFT JOIN points_cycle c ON u.day BETWEEN c.starts_on AND c.ends_on
    LEFT JOIN points_account a ON a.cycle_id = c.id AND a.retiree_id = u.retiree
    WHERE round(r.points * u.units) > 0
    ORDER BY u.source
    ON CONFLICT (source) DO NOTHING
    RETURNING id) SELECT array_agg(id) INTO made FROM fresh;

    PERFORM points_owners_agree(a_sources, a_retirees);
    -- Wanted again before anybody decided about taking it back.
    UPDATE points_posting SET is_reversal_waiting = FALSE
    WHERE source = ANY(a_sources) AND is_reversal_waiting;

    SELECT array_agg(DISTINCT id) INTO todo FROM (
        SELECT p.id FROM unnest(a_sources, a_codes, a_days, a_units) u (source, code, day, units)
        JOIN points_posting p ON p.source = u.source
        JOIN LATERAL (SELECT * FROM points_rule WHERE points_rule.code = u.code
            AND valid_from <= u.day ORDER BY valid_from DESC LIMIT 1) r
            ON r.is_enabled AND r.direction = 'award'
        WHERE p.state = 'reversed' AND round(r.points * u.units) > 0
        ORDER BY p.source FOR NO KEY UPDATE OF p
    ) held;
    IF todo IS NULL THEN
        RETURN NULL;
    END IF;
    -- Awarded anew: what it is owed now, by the rule of its day now.
    UPDATE points_posting p SET rule_id = r.id, code = u.code, account_id = a.id,
        occurred_on = u.day, due = round(r.points * u.units), memo = left(u.memo, 200),
        sent_by_id = a_by, waits_why = '', decided_by_id = NULL, decided_at = NULL
    FROM unnest(a_sources, a_retirees, a_codes, a_days, a_units, a_memos)
        u (source, retiree, code, day, units, memo)
    JOIN LATERAL (SELECT * FROM points_rule WHERE points_rule.code = u.code
        AND valid_from <= u.day ORDER BY valid_from DESC LIMIT 1) r
        ON r.is_enabled AND r.direction = 'award'
    LEFT JOIN points_cycle c ON u.day BETWEEN c.starts_on AND c.ends_on
    LEFT JOIN points_account a ON a.cycle_id = c.id AND a.retiree_id = u.retiree
    WHERE p.id = ANY(todo) AND p.id <> ALL(COALESCE(made, '{}')) AND p.source = u.source;

    UPDATE points_posting p SET state = 'waiting', waits_why = w.why
    FROM (
        SELECT p.id, CASE
            WHEN p.account_id IS NULL AND NOT EXISTS (SELECT FROM points_cycle c
                    WHERE p.occurred_on BETWEEN c.starts_on AND c.ends_on)
                THEN '这一年还没有开账'
            WHEN p.account_id IS NULL OR NOT points_is_movable(a.cycle_id, a_today)
                THEN '送来时这一年已经结转'
            WHEN t.status <> 'active' THEN '本人已去世或转出'
            WHEN a.frozen_at IS NOT NULL THEN '账户已冻结' END AS why
        FROM points_posting p
        LEFT JOIN points_account a ON a.id = p.account_id
        JOIN cadres_retiree t ON t.id = p.retiree_id
        WHERE p.id = ANY(todo)
    ) w
    WHERE p.id = w.id AND w.why IS NOT NULL;

    -- By versions of the rules in their order: what one version grants counts for the next.
    FOR version IN SELECT DISTINCT r.valid_from FROM points_posting p
        JOIN points_rule r ON r.id = p.rule_id
        WHERE p.id = ANY(todo) AND p.state = 'reversed' ORDER BY r.valid_from
    LOOP
        PERFORM points_grant(ARRAY(SELECT p.id FROM points_posting p
            JOIN points_rule r ON r.id = p.rule_id
            WHERE p.id = ANY(todo) AND p.state = 'reversed' AND r.valid_from = version), a_now);
    END LOOP;
    RETURN todo;
END $$;

-- Posts locked postings into their locked accounts, each cut to what the cap of its rule leaves.
CREATE FUNCTION points_grant(
    a_postings bigint[], a_now timestamptz, a_approved_by bigint DEFAULT NULL,
    a_day date DEFAULT NULL
) RETURNS void LANGUAGE sql AS $$
    WITH todo AS (
        SELECT p.id, p.source, p.account_id, a.cycle_id, p.rule_id, p.code, p.due, p.revision + 1
            AS revision, p.occurred_on, p.memo, p.sent_by_id, r.cap_per_cycle AS cap,
            COALESCE(sum(p.due) OVER (PARTITION BY p.account_id, p.code ORDER BY p.id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
        FROM points_posting p
        JOIN points_account a ON a.id = p.account_id
        JOIN points_rule r ON r.id = p.rule_id
        WHERE p.id = ANY(a_postings)
    ), granted AS (
        SELECT t.*, CASE WHEN cap IS NULL THEN due ELSE GREATEST(0, LEAST(due, cap - before -
            COALESCE((SELECT sum(p.posted) FROM points_posting p WHERE p.account_id = t.account_id
                AND p.code = t.code AND p.state = 'posted'), 0)))::int END AS granted
        FROM todo t
    ), written AS (
        INSERT INTO points_transfer (cycle_id, from_account_id, to_account_id, amount, kind,
            rule_id, posting_id, key, occurred_on, posted_at, posted_by_id, approved_by_id, memo)
        SELECT g.cycle_id, s.id, g.account_id, g.granted, 'award', g.rule_id, g.id,
            g.source || '#' || g.revision, COALESCE(a_day, g.occurred_on), a_now, g.sent_by_id,
            a_approved_by, g.memo
        FROM granted g JOIN points_account s ON s.cycle_id = g.cycle_id AND s.kind = 'issued'
        WHERE g.granted > 0 ORDER BY g.id
        RETURNING id, posting_id
    )
    UPDATE points_posting p SET state = 'posted', posted = g.granted, cut = g.due - g.granted,
        revision = g.revision, transfer_id = w.id
    FROM granted g LEFT JOIN written w ON w.posting_id = g.id
    WHERE p.id = g.id
$$;

-- ---- deductions -----------------------------------------------------------------------------------

-- Takes what causes cost, at most what is there; the rest is a shortfall. Idempotent by source.
CREATE FUNCTION points_deduct(
    a_sources text[], a_retirees bigint[], a_codes text[], a_days date[], a_units numeric[],
    a_memos text[], a_today date, a_now timestamptz, a_by bigint, a_approved_by bigint
) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE cause record; p points_posting; account points_account; cost int; taken int; moved bigint;
BEGIN
    IF EXISTS (SELECT FROM unnest(a_days) day WHERE day > a_today) THEN
        RAISE EXCEPTION 'not yet' USING ERRCODE = 'PT002';
    END IF;
    PERFORM points_hold_cycles_of(a_days);
    PERFORM points_hold_members(a_retirees, a_days);
    FOR cause IN
        SELECT u.*, c.id AS cycle_id, r.id AS rule_id, round(r.points * u.units)::int AS cost
        FROM unnest(a_sources, a_retirees, a_codes, a_days, a_units, a_memos)
            u (source, retiree, code, day, units, memo)
        JOIN LATERAL (SELECT * FROM points_rule WHERE points_rule.code = u.code
            AND valid_from <= u.day ORDER BY valid_from DESC LIMIT 1) r
            ON r.is_enabled AND r.direction = 'deduct'
        LEFT JOIN points_cycle c ON u.day BETWEEN c.starts_on AND c.ends_on
        WHERE round(r.points * u.units) > 0
        ORDER BY c.id, u.retiree, u.source
    LOOP
        SELECT * INTO p FROM points_posting WHERE source = cause.source FOR NO KEY UPDATE;
        IF FOUND AND p.retiree_id <> cause.retiree THEN
            RAISE EXCEPTION 'the source belongs to somebody else' USING ERRCODE = 'PT003';
        END IF;
        IF FOUND AND p.state <> 'reversed' THEN
            -- Wanted again before anybody decided about giving it back.
            UPDATE points_posting SET is_reversal_waiting = FALSE
            WHERE id = p.id AND is_reversal_waiting;
            CONTINUE;
        END IF;
        IF cause.cycle_id IS NULL OR NOT points_is_movable(cause.cycle_id, a_today) THEN
            RAISE EXCEPTION 'nothing moves in this cycle any more' USING ERRCODE = 'PT001';
        END IF;
        account := points_member(cause.cycle_id, cause.retiree);
        IF account.frozen_at IS NOT NULL THEN
            RAISE EXCEPTION 'the account is frozen' USING ERRCODE = 'PT004';
        END IF;
        INSERT INTO points_posting (source, retiree_id, rule_id, code, account_id, occurred_on,
            due, posted, cut, short, revision, state, waits_why, is_reversal_waiting, memo,
            sent_by_id, reason)
        VALUES (cause.source, cause.retiree, cause.rule_id, cause.code, account.id, cause.day,
            cause.cost, 0, 0, 0, 0, 'reversed', '', FALSE, left(cause.memo, 200), a_by, '')
        ON CONFLICT (source) DO NOTHING;
        SELECT * INTO p FROM points_posting WHERE source = cause.source FOR NO KEY UPDATE;
        IF p.retiree_id <> cause.retiree THEN
            RAISE EXCEPTION 'the source belongs to somebody else' USING ERRCODE = 'PT003';
        END IF;
        CONTINUE WHEN p.state <> 'reversed';
        taken := LEAST(cause.cost, account.balance);
        moved := NULL;
        IF taken > 0 THEN
            moved := points_write(account.cycle_id, account.id,
                points_system(account.cycle_id, 'issued'), taken, 'deduct',
                cause.source || '#' || (p.revision + 1), cause.day, a_now, a_by, a_approved_by,
                cause.memo, cause.rule_id, p.id);
        END IF;
        IF taken < cause.cost THEN
            INSERT INTO points_shortfall (retiree_id, posting_id, amount, "left", waived,
                cancelled, reason, created_at)
            VALUES (cause.retiree, p.id, cause.cost - taken, cause.cost - taken, 0, 0, '', a_now);
        END IF;
        UPDATE points_posting SET state = 'posted', due = cause.cost, posted = taken, cut = 0,
            short = cause.cost - taken, revision = p.revision + 1, transfer_id = moved,
            rule_id = cause.rule_id, code = cause.code, account_id = account.id,
            occurred_on = cause.day, memo = left(cause.memo, 200), sent_by_id = a_by,
            decided_by_id = NULL, decided_at = NULL
        WHERE id = p.id;
        RETURN NEXT cause.source;
    END LOOP;
END $$;

-- ---- taking back ------------------------------------------------------------------------------------

-- Takes back what a source has got (or gives back what it cost). What is spent already becomes a
-- shortfall; what is too late (see points_is_correctable) waits for a second person.
-- Returns: reversed | waiting | nothing.
CREATE FUNCTION points_reverse(
    a_source text, a_today date, a_now timestamptz, a_by bigint, a_memo text
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE p points_posting; account points_account;
BEGIN
    SELECT * INTO p FROM points_posting WHERE source = a_source;
    IF NOT FOUND OR p.state IN ('reversed', 'refused') THEN
        RETURN 'nothing';
    END IF;
    PERFORM points_hold_cycles(ARRAY(SELECT cycle_id FROM points_account WHERE id = p.account_id
        UNION SELECT cycle_id FROM points_taken(p)));
    PERFORM FROM (SELECT id FROM points_account WHERE id = p.account_id
        OR id IN (SELECT from_account_id FROM points_taken(p)) ORDER BY id FOR NO KEY UPDATE) held;
    SELECT * INTO account FROM points_account WHERE id = p.account_id;
    SELECT * INTO p FROM points_posting WHERE source = a_source FOR NO KEY UPDATE;
    IF p.account_id IS DISTINCT FROM account.id THEN
        RAISE EXCEPTION 'somebody else is at it' USING ERRCODE = 'serialization_failure';
    END IF;
    IF p.state IN ('reversed', 'refused') THEN
        RETURN 'nothing';
    END IF;
    IF p.state = 'waiting' THEN
        UPDATE points_posting SET state = 'reversed', waits_why = '' WHERE id = p.id;
        RETURN 'reversed';
    END IF;
    IF (p.posted > 0 OR p.short > 0) AND NOT (CASE
            WHEN points_is_award(p) THEN points_is_correctable(account.cycle_id, a_today)
            ELSE points_is_movable(account.cycle_id, a_today) AND NOT EXISTS (
                SELECT FROM points_taken(p) taken
                WHERE NOT points_is_movable(taken.cycle_id, a_today)) END) THEN
        UPDATE points_posting SET is_reversal_waiting = TRUE, sent_by_id = a_by,
            decided_by_id = NULL, decided_at = NULL WHERE id = p.id;
        RETURN 'waiting';
    END IF;
    IF points_is_award(p) THEN
        PERFORM points_take_back(p, account, a_today, a_now, a_by, NULL, a_memo);
    ELSIF p.short > 0 OR p.transfer_id IS NOT NULL THEN
        PERFORM points_give_back(p, NULL, a_today, a_now, a_by, NULL, a_memo);
    END IF;
    PERFORM points_forget(p);
    RETURN 'reversed';
END $$;

-- Whether the posting has given points.
CREATE FUNCTION points_is_award(p points_posting) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM points_transfer WHERE id = p.transfer_id AND kind = 'award')
$$;

-- The posting stands as one that was reversed.
CREATE FUNCTION points_forget(p points_posting) RETURNS void LANGUAGE sql AS $$
    UPDATE points_posting SET state = 'reversed', posted = 0, cut = 0, short = 0,
        transfer_id = NULL, is_reversal_waiting = FALSE WHERE id = p.id
$$;

-- Takes what an award gave out of its locked account; what is spent already becomes a shortfall.
CREATE FUNCTION points_take_back(
    p points_posting, account points_account, a_today date, a_now timestamptz, a_by bigint,
    a_approved_by bigint, a_memo text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE t points_transfer; taken int := LEAST(p.posted, account.balance);
BEGIN
    SELECT * INTO t FROM points_transfer WHERE id = p.transfer_id;
    IF taken > 0 THEN
        PERFORM points_write(t.cycle_id, account.id, t.from_account_id, taken, 'reverse',
            t.key || '!', a_today, a_now, a_by, a_approved_by, a_memo, t.rule_id, p.id, NULL, t.id);
    END IF;
    IF taken < p.posted THEN
        INSERT INTO points_shortfall (retiree_id, posting_id, amount, "left", waived,
            cancelled, reason, created_at)
        VALUES (p.retiree_id, p.id, p.posted - taken, p.posted - taken, 0, 0, '', a_now);
    END IF;
END $$;

-- What of an award of a closed year has expired with that year, and is not taken a second time.
CREATE FUNCTION points_expired_of(p points_posting) RETURNS int LANGUAGE sql STABLE AS $$
    SELECT LEAST(p.posted, GREATEST(0,
        COALESCE((SELECT sum(amount) FROM points_transfer
            WHERE from_account_id = p.account_id AND kind = 'expire'), 0)
        - COALESCE((SELECT sum(s.cancelled) FROM points_shortfall s WHERE EXISTS (
            SELECT FROM points_transfer t WHERE t.posting_id = s.posting_id AND t.kind = 'award'
                AND t.to_account_id = p.account_id AND right(t.key, 1) <> '+')), 0)))::int
$$;

-- What a deduction has taken, at once and from later awards, and nobody has given back. Only the
-- posting's present revision counts: its shortfall is the last one.
CREATE FUNCTION points_taken(p points_posting) RETURNS SETOF points_transfer
LANGUAGE sql STABLE AS $$
    SELECT t.* FROM points_transfer t WHERE t.posting_id = p.id AND t.kind = 'deduct'
        AND (t.id = p.transfer_id OR t.shortfall_id = (
            SELECT max(id) FROM points_shortfall WHERE posting_id = p.id AND p.short > 0))
        AND NOT EXISTS (SELECT FROM points_transfer r WHERE r.reverses_id = t.id)
    ORDER BY t.id
$$;

-- Gives back what a deduction took and forgets what it still wants. What was taken in a cycle that
-- does not move any more goes, as an award by two persons, into the account `a_late`.
CREATE FUNCTION points_give_back(
    p points_posting, a_late points_account, a_today date, a_now timestamptz, a_by bigint,
    a_approved_by bigint, a_memo text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE t points_transfer; late int := 0;
BEGIN
    -- Held, so that no award pays while it is given back.
    PERFORM FROM (SELECT id FROM points_shortfall WHERE posting_id = p.id ORDER BY id
        FOR NO KEY UPDATE) held;
    FOR t IN SELECT * FROM points_taken(p) LOOP
        IF points_is_movable(t.cycle_id, a_today) THEN
            PERFORM FROM points_account WHERE id = t.from_account_id FOR NO KEY UPDATE;
            PERFORM points_write(t.cycle_id, t.to_account_id, t.from_account_id, t.amount,
                'reverse', t.key || '!', a_today, a_now, a_by, a_approved_by, a_memo, t.rule_id,
                p.id, t.shortfall_id, t.id);
        ELSIF a_late.id IS NULL THEN
            RAISE EXCEPTION 'nothing moves in this cycle any more' USING ERRCODE = 'PT001';
        ELSE
            late := late + t.amount;
        END IF;
    END LOOP;
    IF late > 0 THEN
        PERFORM points_write(a_late.cycle_id, points_system(a_late.cycle_id, 'issued'), a_late.id,
            late, 'award', p.source || '#' || p.revision || '+', a_today, a_now, a_by,
            a_approved_by, a_memo, p.rule_id, p.id);
    END IF;
    UPDATE points_shortfall s SET "left" = 0, cancelled = amount - waived - COALESCE((
        SELECT sum(x.amount) FROM points_transfer x WHERE x.shortfall_id = s.id
            AND x.kind = 'deduct' AND NOT EXISTS (
                SELECT FROM points_transfer r WHERE r.reverses_id = x.id)), 0)
    WHERE p.short > 0 AND id = (SELECT max(id) FROM points_shortfall WHERE posting_id = p.id);
END $$;

-- ---- spending ---------------------------------------------------------------------------------------

-- Spends points of a cycle, once for a key; the number of the transfer.
CREATE FUNCTION points_spend(
    a_key text, a_retiree bigint, a_cycle bigint, a_amount int, a_memo text, a_today date,
    a_now timestamptz, a_by bigint
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE account points_account; t points_transfer;
BEGIN
    PERFORM points_hold_cycles(ARRAY[a_cycle]);
    account := points_member(a_cycle, a_retiree);
    SELECT * INTO t FROM points_transfer WHERE key = a_key;
    IF FOUND THEN
        IF t.kind <> 'spend' OR t.from_account_id <> account.id OR t.amount <> a_amount THEN
            RAISE EXCEPTION 'the key belongs to something else' USING ERRCODE = 'PT003';
        END IF;
        RETURN t.id;
    END IF;
    IF NOT points_is_movable(a_cycle, a_today) THEN
        RAISE EXCEPTION 'nothing moves in this cycle any more' USING ERRCODE = 'PT001';
    END IF;
    IF account.frozen_at IS NOT NULL THEN
        RAISE EXCEPTION 'the account is frozen' USING ERRCODE = 'PT004';
    END IF;
    IF account.balance < a_amount THEN
        RAISE EXCEPTION '%', account.balance USING ERRCODE = 'PT005';
    END IF;
    RETURN points_write(a_cycle, account.id, points_system(a_cycle, 'redeemed'), a_amount,
        'spend', a_key, a_today, a_now, a_by, NULL, a_memo);
END $$;

-- Holds the accounts and the open shortfalls of what is given back in one transaction, before the
-- first of them: awards take them in this order too.
CREATE FUNCTION points_hold_refunds(a_keys text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE accounts bigint[] := ARRAY(SELECT from_account_id FROM points_transfer
    WHERE key = ANY(a_keys) AND kind = 'spend');
BEGIN
    PERFORM points_hold_cycles(ARRAY(SELECT cycle_id FROM points_account WHERE id = ANY(accounts)));
    PERFORM FROM (SELECT id FROM points_account WHERE id = ANY(accounts) ORDER BY id
        FOR NO KEY UPDATE) held;
    PERFORM FROM (SELECT id FROM points_shortfall WHERE "left" > 0 AND retiree_id IN (
        SELECT retiree_id FROM points_account WHERE id = ANY(accounts)) ORDER BY id
        FOR NO KEY UPDATE) held;
END $$;

-- Gives back what was spent under a key, once; the number of the transfer. Also to a frozen account.
-- What its person still owes is taken out of it: else who reserves before an award is taken back,
-- and cancels afterwards, would have kept it.
CREATE FUNCTION points_refund(
    a_key text, a_memo text, a_today date, a_now timestamptz, a_by bigint
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE t points_transfer; account points_account; back bigint;
BEGIN
    SELECT * INTO t FROM points_transfer WHERE key = a_key AND kind = 'spend';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nothing was spent under this key' USING ERRCODE = 'PT006';
    END IF;
    PERFORM points_hold_refunds(ARRAY[a_key]);
    SELECT id INTO back FROM points_transfer WHERE reverses_id = t.id;
    IF FOUND THEN
        RETURN back;
    END IF;
    back := points_write(t.cycle_id, t.to_account_id, t.from_account_id, t.amount, 'refund',
        t.key || '!', a_today, a_now, a_by, NULL, a_memo, NULL, NULL, NULL, t.id);
    SELECT * INTO account FROM points_account WHERE id = t.from_account_id;
    IF account.frozen_at IS NULL AND points_is_movable(t.cycle_id, a_today) THEN
        PERFORM points_pay_shortfalls(account, t.amount, a_today, a_now, a_by);
    END IF;
    RETURN back;
END $$;

-- ---- by two persons ----------------------------------------------------------------------------------

-- An approved adjustment: points given or, with a negative amount, taken; once for a key.
CREATE FUNCTION points_adjust(
    a_key text, a_retiree bigint, a_cycle bigint, a_amount int, a_memo text, a_today date,
    a_now timestamptz, a_by bigint, a_approved_by bigint
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE account points_account; issued bigint := points_system(a_cycle, 'issued'); done bigint;
BEGIN
    PERFORM points_hold_cycles(ARRAY[a_cycle]);
    account := points_member(a_cycle, a_retiree);
    SELECT id INTO done FROM points_transfer WHERE key = a_key;
    IF FOUND THEN
        RETURN done;
    END IF;
    IF NOT points_is_correctable(a_cycle, a_today) THEN
        RAISE EXCEPTION 'nothing moves in this cycle any more' USING ERRCODE = 'PT001';
    END IF;
    IF account.frozen_at IS NOT NULL THEN
        RAISE EXCEPTION 'the account is frozen' USING ERRCODE = 'PT004';
    END IF;
    IF account.balance + a_amount < 0 THEN
        RAISE EXCEPTION '%', account.balance USING ERRCODE = 'PT005';
    END IF;
    IF a_amount > 0 THEN
        RETURN points_write(a_cycle, issued, account.id, a_amount, 'adjust', a_key, a_today,
            a_now, a_by, a_approved_by, a_memo);
    END IF;
    RETURN points_write(a_cycle, account.id, issued, -a_amount, 'adjust', a_key, a_today, a_now,
        a_by, a_approved_by, a_memo);
END $$;

-- The ruling on a frozen account: all that is in it goes to `redeemed` (given out) or `expired`.
CREATE FUNCTION points_settle(
    a_key text, a_account bigint, a_to text, a_memo text, a_today date, a_now timestamptz,
    a_by bigint, a_approved_by bigint
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE account points_account; done bigint;
BEGIN
    PERFORM points_hold_cycles(ARRAY(SELECT cycle_id FROM points_account WHERE id = a_account));
    SELECT * INTO account FROM points_account
    WHERE id = a_account AND kind = 'member' FOR NO KEY UPDATE;
    SELECT id INTO done FROM points_transfer WHERE key = a_key;
    IF FOUND THEN
        RETURN done;
    END IF;
    IF account.frozen_at IS NULL THEN
        RAISE EXCEPTION 'the account is not frozen' USING ERRCODE = 'PT006';
    END IF;
    IF account.balance = 0 OR a_to NOT IN ('redeemed', 'expired') THEN
        RAISE EXCEPTION 'there is nothing to settle' USING ERRCODE = 'PT006';
    END IF;
    RETURN points_write(account.cycle_id, account.id, points_system(account.cycle_id, a_to),
        account.balance, 'settle', a_key, a_today, a_now, a_by, a_approved_by, a_memo);
END $$;

-- Where what waits goes: taking back an award into its own cycle until that is published; all else
-- into its own cycle while that moves, else into the one of today.
CREATE FUNCTION points_goal(p points_posting, a_today date) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT COALESCE(
        (SELECT a.cycle_id FROM points_account a WHERE a.id = p.account_id AND CASE
            WHEN p.is_reversal_waiting AND points_is_award(p)
                THEN points_is_correctable(a.cycle_id, a_today)
            ELSE points_is_movable(a.cycle_id, a_today) END),
        (SELECT c.id FROM points_cycle c WHERE points_is_movable(c.id, a_today)
            AND c.starts_on <= a_today ORDER BY c.starts_on DESC LIMIT 1))
$$;

-- What waited is sent, decided by somebody else than who sent it. An award of a closed year that is
-- taken back becomes a shortfall, but for what has expired with that year.
CREATE FUNCTION points_supplement(
    a_posting bigint, a_today date, a_now timestamptz, a_by bigint, a_reason text
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE p points_posting; goal bigint; account points_account; was_award boolean; expired int;
BEGIN
    SELECT * INTO p FROM points_posting WHERE id = a_posting;
    goal := points_goal(p, a_today);
    IF goal IS NULL THEN
        RAISE EXCEPTION 'no cycle is open' USING ERRCODE = 'PT001';
    END IF;
    PERFORM points_hold_cycles(ARRAY(SELECT goal UNION SELECT cycle_id FROM points_taken(p)
        UNION SELECT cycle_id FROM points_account WHERE id = p.account_id));
    PERFORM FROM (SELECT id FROM points_account
        WHERE (cycle_id = goal AND retiree_id = p.retiree_id)
        OR id IN (SELECT from_account_id FROM points_taken(p)) ORDER BY id FOR NO KEY UPDATE) held;
    account := points_member(goal, p.retiree_id);
    SELECT * INTO p FROM points_posting WHERE id = a_posting FOR NO KEY UPDATE;
    IF p.state <> 'waiting' AND NOT p.is_reversal_waiting THEN
        RETURN 'nothing';
    END IF;
    IF p.sent_by_id = a_by THEN
        RAISE EXCEPTION 'a second person decides' USING ERRCODE = 'PT007';
    END IF;
    IF points_goal(p, a_today) IS DISTINCT FROM goal THEN
        RAISE EXCEPTION 'nothing moves in this cycle any more' USING ERRCODE = 'PT001';
    END IF;
    IF p.state = 'waiting' THEN
        UPDATE points_posting SET account_id = account.id, decided_by_id = a_by,
            decided_at = a_now, reason = left(a_reason, 200), waits_why = '' WHERE id = p.id;
        PERFORM points_grant(ARRAY[p.id], a_now, a_by, a_today);
        SELECT * INTO p FROM points_posting WHERE id = p.id;
        SELECT * INTO account FROM points_account WHERE id = account.id;
        PERFORM points_pay_shortfalls(account, p.posted, a_today, a_now, p.sent_by_id);
        RETURN 'sent';
    END IF;
    was_award := points_is_award(p);
    IF NOT was_award THEN
        PERFORM points_give_back(p, account, a_today, a_now, p.sent_by_id, a_by, '更正');
    ELSIF account.id = p.account_id THEN
        PERFORM points_take_back(p, account, a_today, a_now, p.sent_by_id, a_by, '更正');
    ELSIF EXISTS (SELECT FROM points_account a JOIN points_cycle c ON c.id = a.cycle_id
            WHERE a.id = p.account_id AND c.status <> 'closed') THEN
        RAISE EXCEPTION 'the year is published' USING ERRCODE = 'PT011';
    ELSE
        expired := points_expired_of(p);
        INSERT INTO points_shortfall (retiree_id, posting_id, amount, "left", waived, cancelled,
            reason, created_at)
        VALUES (p.retiree_id, p.id, p.posted, p.posted - expired, 0, expired, '', a_now);
    END IF;
    PERFORM points_forget(p);
    UPDATE points_posting SET decided_by_id = a_by, decided_at = a_now,
        reason = left(a_reason, 200) WHERE id = p.id;
    IF was_award AND account.id <> p.account_id AND account.frozen_at IS NULL THEN
        PERFORM points_pay_shortfalls(account, LEAST(account.balance, p.posted), a_today, a_now,
            p.sent_by_id);
    END IF;
    RETURN 'sent';
END $$;

-- What waited is not sent, with a reason: the award is refused, or the points stay.
CREATE FUNCTION points_refuse(
    a_posting bigint, a_now timestamptz, a_by bigint, a_reason text
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE p points_posting;
BEGIN
    SELECT * INTO p FROM points_posting WHERE id = a_posting FOR NO KEY UPDATE;
    IF p.state <> 'waiting' AND NOT p.is_reversal_waiting THEN
        RETURN 'nothing';
    END IF;
    IF p.sent_by_id = a_by THEN
        RAISE EXCEPTION 'a second person decides' USING ERRCODE = 'PT007';
    END IF;
    UPDATE points_posting SET state = CASE WHEN state = 'waiting' THEN 'refused' ELSE state END,
        is_reversal_waiting = FALSE, decided_by_id = a_by, decided_at = a_now,
        reason = left(a_reason, 200) WHERE id = p.id;
    RETURN 'refused';
END $$;

-- Somebody asks that what is still owed be waived.
CREATE FUNCTION points_ask_waiver(a_shortfall bigint, a_by bigint, a_reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE points_shortfall SET asked_by_id = a_by, reason = left(a_reason, 200)
    WHERE id = a_shortfall AND "left" > 0 AND asked_by_id IS NULL
$$;

-- Somebody else agrees, or does not; how much was waived.
CREATE FUNCTION points_waive(a_shortfall bigint, a_agreed boolean, a_by bigint) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE owed points_shortfall;
BEGIN
    SELECT * INTO owed FROM points_shortfall WHERE id = a_shortfall FOR NO KEY UPDATE;
    IF owed."left" = 0 OR owed.asked_by_id IS NULL THEN
        RETURN 0;
    END IF;
    IF owed.asked_by_id = a_by THEN
        RAISE EXCEPTION 'a second person decides' USING ERRCODE = 'PT007';
    END IF;
    IF NOT a_agreed THEN
        UPDATE points_shortfall SET asked_by_id = NULL, reason = '' WHERE id = owed.id;
        RETURN 0;
    END IF;
    UPDATE points_shortfall SET waived = "left", "left" = 0, waived_by_id = a_by
    WHERE id = owed.id;
    RETURN owed."left";
END $$;

-- ---- rights -------------------------------------------------------------------------------------------

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON points_transfer, points_posting, points_shortfall,
    points_account FROM cadres_app;
GRANT UPDATE (frozen_at, frozen_why) ON points_account TO cadres_app;
REVOKE DELETE, TRUNCATE ON points_cycle, points_rule FROM cadres_app;
