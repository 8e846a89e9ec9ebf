//! From one sample rate down to another by a linear-phase filter.
//!
//! Each output sample is the sum of the inputs around its moment, weighted by a sinc under a Blackman window.
//! The ratio is a fraction, so only as many sets of weights occur as its denominator says.

use std::collections::VecDeque;
use std::f64::consts::PI;

/// Half the length of the filter in seconds: a Blackman window of 2 × 4.6 ms falls by 74 dB within 600 Hz,
/// from the 3.4 kHz that telephony carries to the 4 kHz where aliases begin.
const REACH: f64 = 4.6e-3;
/// The middle of that fall in Hz.
const CUTOFF: f64 = 3_700.0;

/// A filter that is fed one sample after the other.
#[derive(Debug)]
pub(super) struct Resampler {
    /// Input and output rates without their common divisor: `step` inputs for `phases` outputs.
    step: usize,
    phases: usize,
    /// Inputs on each side of the moment of an output.
    reach: usize,
    /// For each phase the weights of the `2 × reach` inputs; empty if nothing is to be changed.
    weights: Vec<Box<[f64]>>,
    /// The inputs that the next output needs, oldest first.
    window: VecDeque<f64>,
    /// Position of the next output between two inputs, in parts of `phases`.
    phase: usize,
    /// Inputs and outputs so far.
    pushed: usize,
    pulled: usize,
}

impl Resampler {
    /// Both rates are in Hz and not zero; `to` is 8 kHz and not above `from`.
    pub(super) fn new(from: u32, to: u32) -> Self {
        let divisor = greatest_common_divisor(from, to);
        let (step, phases) = ((from / divisor) as usize, (to / divisor) as usize);
        let reach = (f64::from(from) * REACH).ceil() as usize;
        let weights = if from == to {
            Vec::new()
        } else {
            (0..phases).map(|phase| weights(phase as f64 / phases as f64, reach, from)).collect()
        };
        // Silence before the beginning: the first output is centred on the first input.
        let window = std::iter::repeat_n(0.0, reach - 1).collect();
        Self { step, phases, reach, weights, window, phase: 0, pushed: 0, pulled: 0 }
    }

    /// Takes one sample and gives what is now complete.
    pub(super) fn push(&mut self, sample: f64, mut output: impl FnMut(f64)) {
        self.pushed += 1;
        if self.weights.is_empty() {
            output(sample);
        } else {
            self.advance(sample, &mut output);
        }
    }

    /// Gives the rest: as many outputs as the inputs last.
    pub(super) fn finish(mut self, mut output: impl FnMut(f64)) {
        if !self.weights.is_empty() {
            for _ in 0..self.reach {
                self.advance(0.0, &mut output);
            }
        }
    }

    fn advance(&mut self, sample: f64, output: &mut impl FnMut(f64)) {
        self.window.push_back(sample);
        // Downwards, so each input completes one output at most.
        if self.window.len() < 2 * self.reach {
            return;
        }
        if self.phase < self.phases {
            // Silence after the end completes outputs that lie beyond it.
            if self.pulled * self.step < self.pushed * self.phases {
                let weights = self.weights.get(self.phase).into_iter().flatten();
                output(weights.zip(&self.window).map(|(weight, sample)| weight * sample).sum());
                self.pulled += 1;
            }
            self.phase += self.step;
        }
        self.phase -= self.phases;
        self.window.pop_front();
    }
}

/// The weights for a moment `fraction` of an input after the middle of the window.
fn weights(fraction: f64, reach: usize, rate: u32) -> Box<[f64]> {
    let cutoff = 2.0 * CUTOFF / f64::from(rate);
    let mut weights: Box<[f64]> = (0..2 * reach)
        .map(|index| {
            let distance = index as f64 - (reach - 1) as f64 - fraction;
            let turn = PI * distance / reach as f64;
            let window = 0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos();
            sinc(cutoff * distance) * window
        })
        .collect();
    // A constant stays what it is in every phase, or the phases would be heard as a tone.
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

const fn greatest_common_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
