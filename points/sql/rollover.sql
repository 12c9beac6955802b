-- The year's end: published by the head, then emptied batch by batch, then closed. What was
-- published stands until it is withdrawn; once the first batch is booked it cannot be withdrawn.

-- Whether the cycle's points have begun to expire or to be carried away.
CREATE FUNCTION points_is_being_closed(a_cycle bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM points_transfer t JOIN points_account a ON a.id = t.to_account_id
        WHERE a.cycle_id = a_cycle AND a.kind IN ('expired', 'carried_out')
          AND t.kind IN ('expire', 'carry'))
$$;

CREATE OR REPLACE FUNCTION points_cycle_changes() RETURNS trigger
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
    IF NEW.status = 'closed' AND NEW.published_at IS NULL THEN
        RAISE EXCEPTION 'the rollover of % is not published', OLD.year USING ERRCODE = 'PT008';
    END IF;
    IF OLD.published_at IS NOT NULL AND
            (OLD.carry_percent, OLD.carry_cap, OLD.redeem_until, OLD.ends_on) IS DISTINCT FROM
            (NEW.carry_percent, NEW.carry_cap, NEW.redeem_until, NEW.ends_on) THEN
        RAISE EXCEPTION 'what was published of % stands', OLD.year USING ERRCODE = 'PT010';
    END IF;
    IF NEW.published_at IS DISTINCT FROM OLD.published_at
            AND points_is_being_closed(OLD.id) THEN
        RAISE EXCEPTION 'the rollover of % has begun', OLD.year USING ERRCODE = 'PT010';
    END IF;
    RETURN NEW;
END $$;

-- From publishing to posting nothing moves but by the rollover itself, and by two persons' ruling
-- on a frozen account: without it one death after another would put the year's end off for ever.
CREATE OR REPLACE FUNCTION points_transfers_move() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(20181880, c::int)
    FROM (SELECT DISTINCT cycle_id AS c FROM moved) held;
    IF EXISTS (SELECT FROM moved m JOIN points_cycle c ON c.id = m.cycle_id
            WHERE c.status = 'closed'
               OR (c.published_at IS NOT NULL AND m.kind NOT IN ('expire', 'carry', 'settle'))) THEN
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

-- What of a balance is carried into the next cycle; the rest expires.
CREATE FUNCTION points_carried(a_balance int, a_percent int, a_cap int) RETURNS int
LANGUAGE sql IMMUTABLE AS $$
    SELECT LEAST(a_balance::bigint * a_percent / 100, a_cap)::int
$$;

-- Empties the members' accounts among the `a_most` that follow the number `a_after`: part is
-- carried into the next cycle, the rest expires. Gives the number to go on from (none: that was
-- all) and how many were emptied. Stepping by number keeps every batch as quick as the first.
-- Safe to repeat: an account is emptied once.
CREATE FUNCTION points_close(
    a_cycle bigint, a_next bigint, a_after bigint, a_most int, a_day date, a_today date,
    a_now timestamptz, a_by bigint, OUT last bigint, OUT emptied int
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE c points_cycle; ids bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(20181880, a_cycle::int);
    SELECT * INTO c FROM points_cycle WHERE id = a_cycle;
    IF c.status <> 'closing' OR a_today <= c.redeem_until OR a_day <= c.redeem_until THEN
        RAISE EXCEPTION 'the cycle is not ready to be closed' USING ERRCODE = 'PT001';
    END IF;
    IF c.published_at IS NULL THEN
        RAISE EXCEPTION 'the rollover is not published' USING ERRCODE = 'PT008';
    END IF;
    IF points_has_reservations(a_cycle) THEN
        RAISE EXCEPTION 'reservations are open' USING ERRCODE = 'PT009';
    END IF;
    SELECT max(id) INTO last FROM (SELECT id FROM points_account
        WHERE id > a_after ORDER BY id LIMIT a_most) step;
    SELECT array_agg(id) INTO ids FROM (SELECT id FROM points_account
        WHERE id > a_after AND id <= last AND cycle_id = a_cycle AND balance > 0
        ORDER BY id FOR NO KEY UPDATE) held;
    -- Asked under the locks: freezing does not wait for the cycle, only for the account.
    IF EXISTS (SELECT FROM points_account
            WHERE cycle_id = a_cycle AND balance > 0 AND frozen_at IS NOT NULL) THEN
        RAISE EXCEPTION 'frozen accounts wait for a ruling' USING ERRCODE = 'PT004';
    END IF;
    emptied := COALESCE(cardinality(ids), 0);
    IF emptied > 0 AND c.carry_percent > 0 THEN
        PERFORM points_open_next(a_next, ids);
    END IF;
    IF emptied > 0 THEN
        PERFORM points_empty(c, a_next, ids, a_day, a_now, a_by);
    END IF;
END $$;

-- The accounts of the next cycle that will be carried into, made where there is none; locked.
CREATE FUNCTION points_open_next(a_next bigint, ids bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO points_account (cycle_id, kind, retiree_id, balance, frozen_why)
    SELECT a_next, 'member', a.retiree_id, 0, ''
    FROM points_account a JOIN points_cycle c ON c.id = a.cycle_id
    WHERE a.id = ANY(ids) AND points_carried(a.balance, c.carry_percent, c.carry_cap) > 0
    ORDER BY a.id ON CONFLICT DO NOTHING;
    PERFORM FROM (SELECT n.id FROM points_account n WHERE n.cycle_id = a_next AND n.retiree_id IN (
        SELECT retiree_id FROM points_account WHERE id = ANY(ids)) ORDER BY n.id
        FOR NO KEY UPDATE) held;
END $$;

-- Of each of some locked accounts: what is carried out, as much into the next cycle, and the rest.
CREATE FUNCTION points_empty(
    c points_cycle, a_next bigint, ids bigint[], a_day date, a_now timestamptz, a_by bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    expired bigint := points_system(c.id, 'expired');
    carried_out bigint := points_system(c.id, 'carried_out');
    carried_in bigint := points_system(a_next, 'carried_in');
BEGIN
    WITH parts AS (
        SELECT a.id, a.retiree_id, a.balance,
            points_carried(a.balance, c.carry_percent, c.carry_cap) AS carried
        FROM points_account a WHERE a.id = ANY(ids)
    )
    INSERT INTO points_transfer (cycle_id, from_account_id, to_account_id, amount, kind, key,
        occurred_on, posted_at, posted_by_id, memo)
    SELECT c.id, p.id, carried_out, p.carried, 'carry', 'carry-out:' || p.id || '#1',
        a_day, a_now, a_by, c.year || ' 年积分转入下一年'
    FROM parts p WHERE p.carried > 0
    UNION ALL
    SELECT a_next, carried_in, n.id, p.carried, 'carry', 'carry-in:' || p.id || '#1',
        a_day, a_now, a_by, c.year || ' 年结转的积分'
    FROM parts p JOIN points_account n ON n.cycle_id = a_next AND n.retiree_id = p.retiree_id
        AND n.kind = 'member'
    WHERE p.carried > 0
    UNION ALL
    SELECT c.id, p.id, expired, p.balance - p.carried, 'expire', 'expire:' || p.id || '#1',
        a_day, a_now, a_by, c.year || ' 年积分到期'
    FROM parts p WHERE p.balance > p.carried;
END $$;

-- ---- notices and lists stay as they were published and decided -----------------------------------

CREATE FUNCTION points_notice_changes() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state <> 'draft' AND (
        (NEW.kind, NEW.cycle_id, NEW.quarter, NEW.with_names, NEW.snapshot::text, NEW.opens_on,
            NEW.closes_on, NEW.published_by_id) IS DISTINCT FROM
        (OLD.kind, OLD.cycle_id, OLD.quarter, OLD.with_names, OLD.snapshot::text, OLD.opens_on,
            OLD.closes_on, OLD.published_by_id)
        OR (OLD.state, NEW.state) NOT IN (('published', 'published'), ('published', 'withdrawn'),
            ('withdrawn', 'withdrawn'))) THEN
        RAISE EXCEPTION 'a published notice stays as it is' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notice_changes BEFORE UPDATE ON points_publicnotice
    FOR EACH ROW EXECUTE FUNCTION points_notice_changes();

CREATE FUNCTION points_commendation_changes() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.number IS NOT NULL OR
            (NEW.list_id, NEW.cycle_id, NEW.kind, NEW.retiree_id, NEW.earned, NEW.amount)
            IS DISTINCT FROM
            (OLD.list_id, OLD.cycle_id, OLD.kind, OLD.retiree_id, OLD.earned, OLD.amount) THEN
        RAISE EXCEPTION 'a commendation stays as it is' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commendation_changes BEFORE UPDATE ON points_commendation
    FOR EACH ROW EXECUTE FUNCTION points_commendation_changes();

REVOKE DELETE, TRUNCATE ON points_rollover, points_publicnotice, points_objection,
    points_commendationlist, points_commendation, points_threshold FROM cadres_app;
