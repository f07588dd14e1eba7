//! Counts ticks. What it writes under STATE_DIR is there again the next time.
//!
//! One program is bot and query program: the runtime starts it again to answer queries, with THE0_QUERY_PORT while the
//! bot runs and with QUERY_PATH when it does not.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, io, thread};

#[derive(Default)]
struct Counter {
    runs: u64,
    ticks: u64,
}

fn main() -> io::Result<()> {
    if let Ok(path) = env::var("QUERY_PATH") {
        fs::write("/query/result.json", answer(&path)?)
    } else if let Ok(port) = env::var("THE0_QUERY_PORT") {
        let server = TcpListener::bind(format!("127.0.0.1:{port}"))?;
        // A client that hangs up is no reason to stop answering the others.
        server.incoming().for_each(|client| drop(client.and_then(respond)));
        Ok(())
    } else {
        run()
    }
}

fn run() -> io::Result<()> {
    let mut counter = Counter::load()?;
    counter.runs += 1;
    println!("run {}, from tick {}", counter.runs, counter.ticks);
    loop {
        counter.ticks += 1;
        // Saved at every step: SIGTERM may end this program at any moment.
        counter.save()?;
        thread::sleep(Duration::from_millis(500));
    }
}

impl Counter {
    fn file() -> PathBuf {
        PathBuf::from(env::var_os("STATE_DIR").expect("STATE_DIR is set by the runtime")).join("counter.json")
    }

    fn load() -> io::Result<Counter> {
        let text = match fs::read_to_string(Counter::file()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Counter::default()),
            text => text?,
        };
        Ok(Counter { runs: number(&text, "runs"), ticks: number(&text, "ticks") })
    }

    /// Renamed into place: a reader never sees half a file.
    fn save(&self) -> io::Result<()> {
        let file = Counter::file();
        fs::create_dir_all(file.parent().unwrap())?;
        let written = file.with_extension("new");
        fs::write(&written, self.json())?;
        fs::rename(written, file)
    }

    fn json(&self) -> String {
        format!(r#"{{"runs":{},"ticks":{}}}"#, self.runs, self.ticks)
    }
}

/// The member of that name in a flat JSON object; serde does this for real ones.
fn number(json: &str, name: &str) -> u64 {
    let rest = json.split(&format!("\"{name}\":")).nth(1).expect(name);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect(name)
}

fn answer(path: &str) -> io::Result<String> {
    Ok(match path.trim_start_matches('/') {
        "status" => format!(r#"{{"status":"ok","data":{}}}"#, Counter::load()?.json()),
        _ => r#"{"status":"error","error":"ask /status"}"#.to_string(),
    })
}

/// A query comes as a GET with its parameters in the query string.
fn respond(mut client: TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    // Headers, up to an empty line.
    while lines.next().transpose()?.map_or(false, |line| !line.is_empty()) {}
    let target = request.split(' ').nth(1).unwrap_or("");
    let body = answer(target.split('?').next().unwrap_or(""))?;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    write!(client, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
