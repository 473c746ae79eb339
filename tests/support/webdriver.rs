//! A browser without a window, driven by WebDriver (W3C): JSON over HTTP to chromedriver.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::base64;
use crate::http::{Answer, Server};
use crate::machine;
use crate::running::Running;

/// How long a page may take to show what a test waits for: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(30);

/// What keeps Chromium to itself: a new, empty user folder goes with these.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox", // it refuses to run as root with one
    "--disable-gpu",
    "--enable-unsafe-swiftshader", // WebGL without a GPU, for the page of speedscope
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,800",
];

/// A browser with one window; closed when dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Server,
    session: String,
    // Dropped in this order: the driver first, then the folder that its browser writes to.
    process: Running,
    _user_data: TempDir,
}

impl Browser {
    /// Starts one, where there is one.
    #[must_use]
    pub fn start() -> Option<Self> {
        let (chromium, driver) = machine::browser()?;
        Some(Self::launch(&chromium, &driver))
    }

    /// Starts this one.
    #[must_use]
    pub fn launch(chromium: &Path, driver: &Path) -> Self {
        let user_data = tempfile::tempdir().unwrap();
        let (process, port) = start_driver(driver, user_data.path());
        let driver = Server::at(&format!("http://127.0.0.1:{port}"));

        let mut args: Vec<String> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        args.push(format!("--user-data-dir={}", user_data.path().display()));
        let options = json!({ "binary": chromium.to_string_lossy(), "args": args });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let answer = value(&driver.send("/session", &json!({ "capabilities": { "alwaysMatch": wanted } })));
        let session = answer["sessionId"].as_str().unwrap().to_owned();
        Self { driver, session, process, _user_data: user_data }
    }

    /// The driver's process; the browser's are its descendants.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Goes to a page.
    pub fn open(&self, url: &str) {
        self.command("url", &json!({ "url": url }));
    }

    /// Runs a function's body in the page and returns what it returns; it finds `args` in `arguments`.
    #[must_use]
    pub fn run(&self, script: &str, args: &[Value]) -> Value {
        self.command("execute/sync", &json!({ "script": script, "args": args }))
    }

    /// The same of a page that may have crashed, or not answer in time.
    ///
    /// # Errors
    ///
    /// What WebDriver has to say of that.
    pub fn try_run(&self, script: &str, args: &[Value]) -> Result<Value, String> {
        let body = json!({ "script": script, "args": args });
        let answer = self.driver.send(&format!("/session/{}/execute/sync", self.session), &body);
        let value = answer.json()["value"].take();
        if answer.status == 200 { Ok(value) } else { Err(value["message"].as_str().unwrap_or_default().to_owned()) }
    }

    /// Runs the script again and again until it returns something that counts as true; that is the answer.
    #[must_use]
    pub fn wait_for(&self, what: &str, script: &str, args: &[Value]) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.run(script, args);
            if !matches!(value, Value::Null | Value::Bool(false)) {
                return value;
            }
            if Instant::now() > deadline {
                let page = self.run("return document.body.innerText", &[]);
                panic!("the page never showed {what}; it shows: {page}; its console: {}", self.console());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Types into the element that a CSS selector finds; what is typed into a choice of files is a path.
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.command("element", &json!({ "using": "css selector", "value": selector }));
        let id = element.as_object().and_then(|object| object.values().next()).and_then(Value::as_str);
        let id = id.unwrap_or_else(|| panic!("no element {selector}: {element}")).to_owned();
        self.command(&format!("element/{id}/value"), &json!({ "text": text }));
    }

    /// A screenshot, as base64 of a PNG.
    #[must_use]
    pub fn screenshot(&self) -> String {
        let answer = self.driver.get(&format!("/session/{}/screenshot", self.session));
        value(&answer).as_str().unwrap_or_default().to_owned()
    }

    /// The same as a file.
    pub fn screenshot_to(&self, file: &Path) {
        std::fs::write(file, base64::decode(&self.screenshot())).unwrap();
    }

    /// Makes the page this large, in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Runs a script in every page that is opened from now on, before the page's own.
    pub fn run_first(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }

    /// Presses a key where the focus is; WebDriver has private letters for keys without one.
    pub fn press(&self, key: &str) {
        let strokes = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        self.command("actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes }] }));
    }

    /// What the page has written to the console: errors above all.
    #[must_use]
    pub fn console(&self) -> Value {
        self.command("se/log", &json!({ "type": "browser" }))
    }

    fn devtools(&self, command: &str, params: &Value) {
        self.command("goog/cdp/execute", &json!({ "cmd": command, "params": params }));
    }

    fn command(&self, name: &str, body: &Value) -> Value {
        value(&self.driver.send(&format!("/session/{}/{name}", self.session), body))
    }
}

/// Starts a driver on any port. It takes one that is free for IPv6 and gives up if another program has it for IPv4, which
/// happens where many tests run at once; another start finds another port.
fn start_driver(driver: &Path, home: &Path) -> (Running, String) {
    for _ in 0..N_STARTS {
        let mut process = Running::start(Command::new(driver).arg("--port=0").env("HOME", home));
        // "ChromeDriver was started successfully on port 12345."
        let line = process.wait_for_line_of(&["started successfully on port ", "port not available"]);
        let port: String = line.rsplit(' ').next().unwrap().chars().filter(char::is_ascii_digit).collect();
        if !port.is_empty() {
            return (process, port);
        }
    }
    panic!("{} found no free port in {N_STARTS} starts", driver.display());
}

const N_STARTS: usize = 10;

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser, which chromedriver alone would leave behind.
        let _ = self.driver.delete(&format!("/session/{}", self.session));
    }
}

fn value(answer: &Answer) -> Value {
    let value = answer.json()["value"].take();
    assert_eq!(answer.status, 200, "WebDriver: {value}");
    value
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_driver_without_a_port_is_started_again() {
        let dir = tempfile::tempdir().unwrap();
        let driver = dir.path().join("driver");
        let script = "#!/bin/sh
            cd \"$HOME\" && echo start >> starts
            [ $(wc -l < starts) -ge 3 ] && echo 'ChromeDriver was started successfully on port 123.' && exit
            echo 'Starting ChromeDriver 1 on port 0'
            echo 'IPv4 port not available. Exiting...'";
        std::fs::write(&driver, script).unwrap();
        std::fs::set_permissions(&driver, std::fs::Permissions::from_mode(0o755)).unwrap();
        let (_process, port) = start_driver(&driver, dir.path());
        let starts = std::fs::read_to_string(dir.path().join("starts")).unwrap();
        assert_eq!((port.as_str(), starts.lines().count()), ("123", 3));
    }
}
