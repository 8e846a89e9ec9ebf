//! Messages in a stream of octets.

use sip_proto::stream_framer::{Frame, FramingError, StreamFramer};

use crate::seeds::assert_sentence;

const LIMIT: usize = 8_192;

/// However a stream is cut into pieces, the same messages come out of it, none of them too long, and nothing after framing is lost.
/// The first octet says how long the pieces are.
pub(crate) fn framing(input: &[u8]) {
    let [piece, stream @ ..] = input else { return };
    let whole = frames(stream, stream.len().max(1));
    let cut = frames(stream, usize::from(*piece % 32) + 1);
    assert_eq!(whole, cut);
    let messages = whole.0.iter().filter_map(|frame| match frame {
        Frame::Message(message) => Some(message.len()),
        Frame::Ping => None,
    });
    let lengths: Vec<usize> = messages.collect();
    assert!(lengths.iter().all(|length| *length <= LIMIT));
    assert!(lengths.iter().sum::<usize>() <= stream.len());
}

type Framed = (Vec<Frame>, Option<FramingError>, bool);

fn frames(stream: &[u8], piece: usize) -> Framed {
    let mut framer = StreamFramer::new(LIMIT);
    let mut frames = Vec::new();
    for piece in stream.chunks(piece) {
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => {
                    assert_sentence(&error.to_string());
                    framer.push(b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n");
                    assert_eq!(framer.next_frame(), Err(error));
                    return (frames, Some(error), false);
                }
            }
        }
    }
    (frames, None, framer.is_inside_message())
}
