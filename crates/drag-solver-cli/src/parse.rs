//! How the values of options are read.

use std::net::SocketAddr;
use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;
use std::time::Duration;

use drag_solver::{JobId, PaidJob, Rect, Usd};

use crate::chain::registry;

/// Where a server listens.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write ADDRESS:PORT, as in 127.0.0.1:8080".to_owned())
}

/// Where a server listens that only this machine may reach.
pub(crate) fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address = address(text)?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err("must be an address of this machine alone, as in 127.0.0.1:8080; from another machine, forward the port with ssh -L".to_owned())
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(_) => Err("write a number and its unit, as in 60s, 500ms or 1m30s".to_owned()),
    }
}

/// How long an answer can be undone.
pub(crate) fn undo(text: &str) -> Result<Duration, String> {
    let undo = match text {
        "0" | "0s" => Duration::ZERO,
        _ => duration(text)?,
    };
    if undo > Duration::from_secs(60) {
        return Err("must be at most 1m: until then, answers are not in the file".to_owned());
    }
    Ok(undo)
}

/// How often a provider may be asked: no more often than the library does.
pub(crate) fn poll_interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval < Duration::from_millis(1) {
        return Err("must be at least 1ms".to_owned());
    }
    Ok(interval)
}

/// A number that is not zero.
pub(crate) fn count<N: FromStr<Err = ParseIntError>>(text: &str) -> Result<N, String> {
    text.parse().map_err(|error: ParseIntError| {
        let problem = match error.kind() {
            IntErrorKind::Zero => "must be at least 1",
            IntErrorKind::PosOverflow => "is too large",
            _ => "write a whole number, as in 3",
        };
        problem.to_owned()
    })
}

pub(crate) fn region(text: &str) -> Result<Rect, String> {
    text.parse::<Rect>()
        .map_err(|error| error.message().to_owned())
}

pub(crate) fn size(text: &str) -> Result<(u32, u32), String> {
    text.split_once(['x', 'X'])
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)))
        .ok_or_else(|| "write width and height in pixels, as in 591x1149".to_owned())
}

/// Money, in US dollars.
pub(crate) fn usd(text: &str) -> Result<Usd, String> {
    let usd: Usd = text
        .parse()
        .map_err(|_| "write US dollars, as in 5 or 0.25".to_owned())?;
    if usd.is_negative() {
        return Err("must not be below 0".to_owned());
    }
    Ok(usd)
}

/// What an answer of a provider costs: its name, whichever it is called by, and the money.
pub(crate) fn price(text: &str) -> Result<(String, Usd), String> {
    let (name, price) = text
        .split_once('=')
        .ok_or("write the provider and US dollars, as in omocaptcha=0.0009")?;
    let name = registry::find(name).map_or(name, |kind| &kind.name);
    Ok((name.to_owned(), usd(price)?))
}

/// A distance in pixels.
pub(crate) fn tolerance(text: &str) -> Result<f64, String> {
    let pixels = text
        .parse()
        .ok()
        .filter(|pixels: &f64| pixels.is_finite() && *pixels >= 0.0);
    pixels.ok_or_else(|| "write a number of pixels, as in 10".to_owned())
}

/// A share, in hundredths or as a number up to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(hundredths) => hundredths.trim().parse().map(|share: f64| share / 100.0),
        None => text.parse(),
    };
    let share = share.ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "write a share, as in 95% or 0.95".to_owned())
}

pub(crate) fn paid_job(text: &str) -> Result<PaidJob, String> {
    let (provider, id) = text
        .split_once(':')
        .ok_or("write the provider and its id for the job, as in omocaptcha:123456")?;
    let provider = registry::find(provider).map_or(provider, |kind| &kind.name);
    let id = JobId::new(id).map_err(|error| error.to_string())?;
    Ok(PaidJob::new(provider, id))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn where_a_server_listens_is_an_address_and_a_port() {
        assert!(address("127.0.0.1:8080").is_ok() && address("[::1]:0").is_ok());
        for bad in [
            "localhost:8091",
            "8091",
            "127.0.0.1",
            ":8091",
            "127.0.0.1:99999",
        ] {
            assert!(address(bad).unwrap_err().contains("ADDRESS:PORT"), "{bad}");
            assert!(loopback(bad).is_err(), "{bad}");
        }
        assert!(loopback("127.0.0.1:0").is_ok() && loopback("[::1]:80").is_ok());
        for elsewhere in ["0.0.0.0:80", "192.168.0.1:80", "[::]:80"] {
            let error = loopback(elsewhere).unwrap_err();
            assert!(error.contains("this machine alone"), "{error}");
        }
    }

    #[test]
    fn durations_are_written_for_people() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for bad in ["60", "", "soon", "9999999999999999999999s"] {
            assert!(duration(bad).unwrap_err().contains("as in 60s"), "{bad}");
        }
        assert!(duration("0s").unwrap_err().contains("longer than nothing"));
    }

    #[test]
    fn numbers_that_make_no_sense_are_told_their_limit() {
        assert_eq!(undo("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(undo("0s"), Ok(Duration::ZERO));
        assert!(undo("61s").unwrap_err().contains("at most 1m"));
        assert_eq!(poll_interval("1ms"), Ok(Duration::from_millis(1)));
        assert_eq!(poll_interval("1ns").unwrap_err(), "must be at least 1ms");
        assert_eq!(count("3"), NonZeroU32::new(3).ok_or_else(String::new));
        for (bad, why) in [
            ("0", "at least 1"),
            ("-1", "whole number"),
            ("9999999999", "too large"),
        ] {
            let error = count::<NonZeroU32>(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn shapes_are_checked_before_anything_else() {
        let card = Rect::new(40.0, 380.0, 510.0, 400.0);
        assert_eq!(region("40,380,510,400"), Ok(card));
        let error = region("-1,2,3").unwrap_err();
        assert!(error.contains("write x,y,w,h in pixels"), "{error}");
        assert_eq!(size("591x1149"), Ok((591, 1149)));
        for bad in ["591", "591x", "x", "-1x5", "1x2x3"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn money_shares_and_distances_are_what_they_can_be() {
        let cents = "0.0009".parse().unwrap();
        assert_eq!(
            price("2captcha=0.0009"),
            Ok(("twocaptcha".to_owned(), cents))
        );
        for bad in ["twocaptcha", "twocaptcha=", "twocaptcha=-1", "twocaptcha=x"] {
            assert!(price(bad).is_err(), "{bad}");
        }
        assert_eq!((share("95%"), share("0.95")), (Ok(0.95), Ok(0.95)));
        for bad in ["101%", "95", "-1%", "NaN", ""] {
            assert!(share(bad).unwrap_err().contains("as in 95%"), "{bad}");
        }
        assert_eq!(tolerance("7.5"), Ok(7.5));
        for bad in ["-1", "inf", "NaN", "px"] {
            assert!(tolerance(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_paid_job_names_its_provider() {
        let job = PaidJob::new("omocaptcha", JobId::new("12:34").unwrap());
        assert_eq!(paid_job("omocaptcha:12:34"), Ok(job));
        assert_eq!(paid_job("2captcha:9").unwrap().solver, "twocaptcha");
        assert!(paid_job("123").is_err());
        assert!(paid_job("omocaptcha:").is_err());
    }
}
