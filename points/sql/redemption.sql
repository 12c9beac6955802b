-- What is taken of a stock is counted by the database: a line takes, a redemption that is cancelled
-- or lapses gives back. The CHECK day_stock_never_below_zero refuses the bag that is not there.
-- Web and worker may not write the count, nor change or delete a line.

CREATE FUNCTION points_line_takes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM points_redemption r JOIN points_daystock s ON s.day_id = r.day_id
            WHERE r.id = NEW.redemption_id AND s.id = NEW.stock_id
              AND r.state IN ('reserved', 'collected')) THEN
        RAISE EXCEPTION 'the stock is of another day' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE points_daystock SET taken = taken + NEW.quantity WHERE id = NEW.stock_id;
    RETURN NULL;
END $$;
CREATE TRIGGER line_takes AFTER INSERT ON points_redemptionline
    FOR EACH ROW EXECUTE FUNCTION points_line_takes();

CREATE FUNCTION points_redemption_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (OLD.day_id, OLD.retiree_id, OLD.points, OLD.key, OLD.transfer_id, OLD.reserved_at)
            IS DISTINCT FROM
       (NEW.day_id, NEW.retiree_id, NEW.points, NEW.key, NEW.transfer_id, NEW.reserved_at) THEN
        RAISE EXCEPTION 'a redemption keeps what it is about' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state THEN
        IF (OLD.state, NEW.state) NOT IN (('reserved', 'collected'), ('reserved', 'cancelled'),
                ('reserved', 'lapsed'), ('collected', 'cancelled')) THEN
            RAISE EXCEPTION 'a redemption goes from reserved to its end'
                USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.state IN ('cancelled', 'lapsed') THEN
            UPDATE points_daystock s SET taken = s.taken - l.quantity
            FROM points_redemptionline l WHERE l.redemption_id = NEW.id AND s.id = l.stock_id;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER redemption_changes BEFORE UPDATE ON points_redemption
    FOR EACH ROW EXECUTE FUNCTION points_redemption_changes();

-- A day lies in the life of its cycle and keeps the cycle it was made for.
CREATE FUNCTION points_day_in_its_cycle() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM points_cycle c WHERE c.id = NEW.cycle_id
            AND NEW.date BETWEEN c.starts_on AND c.redeem_until)
       OR (TG_OP = 'UPDATE' AND NEW.cycle_id <> OLD.cycle_id) THEN
        RAISE EXCEPTION 'the day is not of this cycle' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'redemption_day_in_its_cycle';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER day_in_its_cycle BEFORE INSERT OR UPDATE ON points_redemptionday
    FOR EACH ROW EXECUTE FUNCTION points_day_in_its_cycle();

REVOKE UPDATE, DELETE, TRUNCATE ON points_daystock FROM cadres_app;
GRANT UPDATE (points, brought, per_person) ON points_daystock TO cadres_app;
REVOKE DELETE, TRUNCATE ON points_redemption, points_redemptionday FROM cadres_app;

-- A rollover refuses while a reservation is open.
CREATE FUNCTION points_has_reservations(a_cycle bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM points_redemption r JOIN points_redemptionday d ON d.id = r.day_id
        WHERE d.cycle_id = a_cycle AND r.state = 'reserved')
$$;
