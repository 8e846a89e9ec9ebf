//! [`Session`] to text, in the order that RFC 8866 §5 prescribes.

use std::fmt::{self, Display};

use super::{Address, Attribute, Line, Media, Origin, Session};

/// Longer than the description of one telephone.
const USUAL_SIZE: usize = 384;

/// Written at once: the formatter takes several times as long for each part.
impl Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(USUAL_SIZE);
        out.push_str("v=0\r\no=");
        self.origin.write(&mut out);
        push(&mut out, &["\r\ns=", &self.name, "\r\n"]);
        write_section(&mut out, &self.lines, self.connection.as_ref(), &self.attributes);
        self.media.iter().for_each(|media| media.write(&mut out));
        f.write_str(&out)
    }
}

impl Media {
    fn write(&self, out: &mut String) {
        push(out, &["m=", &self.kind, " "]);
        number(out, self.port.into());
        if let Some(count) = self.port_count {
            out.push('/');
            number(out, count.into());
        }
        push(out, &[" ", &self.protocol]);
        for format in &self.formats {
            push(out, &[" ", format]);
        }
        out.push_str("\r\n");
        write_section(out, &self.lines, self.connection.as_ref(), &self.attributes);
    }
}

/// What follows `s=` and `m=`: `i= u= e= p=`, then `c=`, then the other lines, then attributes.
fn write_section(
    out: &mut String,
    lines: &[Line],
    connection: Option<&Address>,
    attributes: &[Attribute],
) {
    let before =
        lines.iter().take_while(|line| matches!(line.field, 'i' | 'u' | 'e' | 'p')).count();
    let (head, tail) = lines.split_at(before);
    head.iter().for_each(|line| line.write(out));
    if let Some(connection) = connection {
        out.push_str("c=");
        connection.write(out);
        out.push_str("\r\n");
    }
    tail.iter().for_each(|line| line.write(out));
    for Attribute { name, value } in attributes {
        push(out, &["a=", name]);
        if let Some(value) = value {
            push(out, &[":", value]);
        }
        out.push_str("\r\n");
    }
}

impl Line {
    fn write(&self, out: &mut String) {
        out.push(self.field);
        push(out, &["=", &self.value, "\r\n"]);
    }
}

impl Origin {
    fn write(&self, out: &mut String) {
        push(out, &[&self.username, " "]);
        number(out, self.session_id);
        out.push(' ');
        number(out, self.version);
        out.push(' ');
        self.address.write(out);
    }
}

impl Address {
    fn write(&self, out: &mut String) {
        push(out, &[&self.network, " ", &self.family, " ", &self.host]);
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.network, self.family, self.host)
    }
}

fn push(out: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| out.push_str(part));
}

fn number(out: &mut String, value: u64) {
    out.push_str(itoa::Buffer::new().format(value));
}
