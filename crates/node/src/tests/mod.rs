//! Boxes on real sockets. Every test waits for events, never for time.

mod echo;
mod impaired;
mod life;
mod secure_lab;
mod secured;
mod supervised;
mod tcp;
mod tcp_limits;
mod udp;
mod websocket;
