//! Compiles `profile.proto` with protox, so that no `protoc` is needed.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=profile.proto");
    let files = protox::compile(["profile.proto"], ["."])?;
    let mut config = prost_build::Config::new();
    // Samples are read and written in columns; whole ones are what the tests compare with.
    for message in ["Profile", "Sample"] {
        config.message_attribute(format!(".wprof.profile.{message}"), "#[cfg(test)]");
    }
    config.compile_fds(files)?;
    Ok(())
}
