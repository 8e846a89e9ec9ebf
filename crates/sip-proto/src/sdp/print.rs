//! [`Session`] to text, in the order that RFC 8866 §5 prescribes.

use std::fmt::{self, Display};

use super::{Address, Attribute, Line, Media, Origin, Session};

impl Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=0\r\no={}\r\ns={}\r\n", self.origin, self.name)?;
        write_section(f, &self.lines, self.connection.as_ref(), &self.attributes)?;
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}

impl Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {}", self.kind, self.port)?;
        if let Some(count) = self.port_count {
            write!(f, "/{count}")?;
        }
        write!(f, " {}", self.protocol)?;
        for format in &self.formats {
            write!(f, " {format}")?;
        }
        f.write_str("\r\n")?;
        write_section(f, &self.lines, self.connection.as_ref(), &self.attributes)
    }
}

/// What follows `s=` and `m=`: `i= u= e= p=`, then `c=`, then the other lines, then attributes.
fn write_section(
    f: &mut fmt::Formatter<'_>,
    lines: &[Line],
    connection: Option<&Address>,
    attributes: &[Attribute],
) -> fmt::Result {
    let before =
        lines.iter().take_while(|line| matches!(line.field, 'i' | 'u' | 'e' | 'p')).count();
    let (head, tail) = lines.split_at(before);
    head.iter().try_for_each(|line| line.fmt(f))?;
    if let Some(connection) = connection {
        write!(f, "c={connection}\r\n")?;
    }
    tail.iter().try_for_each(|line| line.fmt(f))?;
    attributes.iter().try_for_each(|attribute| write!(f, "a={attribute}\r\n"))
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}\r\n", self.field, self.value)
    }
}

impl Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.value {
            Some(value) => write!(f, ":{value}"),
            None => Ok(()),
        }
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.username, self.session_id, self.version, self.address)
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.network, self.family, self.host)
    }
}
