//! Serves a folder's files to the browser under measure.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};

/// Serves until this process ends; the answer is the address of its index.html.
pub(super) fn serve(dir: &Path) -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listen on a port of this machine")?;
    let url = format!("http://{}/index.html", listener.local_addr()?);
    let dir = dir.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let dir = dir.clone();
            // A browser that hangs up is no fault of ours.
            thread::spawn(move || answer(&dir, stream).ok());
        }
    });
    Ok(url)
}

/// One request a connection.
fn answer(dir: &Path, mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let body = file_of(dir, &request).and_then(|file| fs::read(&file).ok().zip(Some(media_type(&file))));
    let (status, (body, media_type)) = body.map_or(("404 Not Found", (Vec::new(), "text/plain")), |it| ("200 OK", it));
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n")?;
    write!(stream, "Connection: close\r\n\r\n")?;
    stream.write_all(&body)
}

/// The file that `GET /NAME HTTP/1.1` asks for. Folders are not served.
fn file_of(dir: &Path, request: &str) -> Option<PathBuf> {
    let path = request.strip_prefix("GET /")?.split(' ').next()?;
    let name = path.split(['?', '#']).next()?;
    (!name.contains('/') && !name.is_empty()).then(|| dir.join(name))
}

fn media_type(file: &Path) -> &'static str {
    match file.extension().and_then(|it| it.to_str()) {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_folder() {
        let check = |request: &str, expected: Option<&str>| {
            assert_eq!(file_of(Path::new("d"), request), expected.map(PathBuf::from), "{request}");
        };
        check("GET /a.js HTTP/1.1", Some("d/a.js"));
        check("GET /a.js?x=/y HTTP/1.1", Some("d/a.js"));
        check("GET / HTTP/1.1", None);
        check("GET /../a.js HTTP/1.1", None);
        check("POST /a.js HTTP/1.1", None);
    }
}
