//! See [`fuzz_properties::program_oracle`].
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_properties::program_oracle(bytes);
});

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("only a fuzzer runs this; `cargo run -p fuzz_properties` replays its seeds");
    std::process::exit(2);
}
