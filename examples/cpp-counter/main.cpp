// Counts ticks. What it writes under STATE_DIR is there again the next time.
//
// One program is bot and query program: the runtime starts it again to answer queries, with THE0_QUERY_PORT while the
// bot runs and with QUERY_PATH when it does not.

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace {

struct Counter {
  std::uint64_t runs = 0;
  std::uint64_t ticks = 0;

  std::string json() const {
    return "{\"runs\":" + std::to_string(runs) + ",\"ticks\":" + std::to_string(ticks) + "}";
  }
};

fs::path stateFile() {
  const char *folder = std::getenv("STATE_DIR");
  if (folder == nullptr) throw std::runtime_error("STATE_DIR is set by the runtime");
  return fs::path(folder) / "counter.json";
}

// The member of that name in a flat JSON object; a JSON library does this for real ones.
std::uint64_t number(const std::string &json, const std::string &name) {
  const auto at = json.find("\"" + name + "\":");
  if (at == std::string::npos) throw std::runtime_error("no " + name + " in " + json);
  return std::stoull(json.substr(at + name.size() + 3));
}

Counter load() {
  std::ifstream file(stateFile());
  if (!file) return {};
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return {number(text, "runs"), number(text, "ticks")};
}

// Renamed into place: a reader never sees half a file.
void save(const Counter &counter) {
  const fs::path file = stateFile();
  fs::create_directories(file.parent_path());
  const fs::path written = file.string() + ".new";
  std::ofstream out(written);
  out << counter.json();
  out.close();
  if (!out) throw std::runtime_error("cannot write " + written.string());
  fs::rename(written, file);
}

std::string answer(const std::string &path) {
  if (path == "/status") return "{\"status\":\"ok\",\"data\":" + load().json() + "}";
  return "{\"status\":\"error\",\"error\":\"ask /status\"}";
}

// A query comes as a GET with its parameters in the query string.
void respond(int client) {
  std::string request;
  char bytes[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = read(client, bytes, sizeof bytes);
    if (got <= 0) return;
    request.append(bytes, static_cast<std::size_t>(got));
  }
  const auto begin = request.find(' ') + 1;
  const std::string body = answer(request.substr(begin, request.find_first_of(" ?", begin) - begin));
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
                            std::to_string(body.size()) + "\r\n\r\n" + body;
  for (std::size_t sent = 0; sent < whole.size();) {
    const ssize_t now = send(client, whole.data() + sent, whole.size() - sent, MSG_NOSIGNAL);
    if (now <= 0) return;
    sent += static_cast<std::size_t>(now);
  }
}

int serve(int port) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(server, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 || listen(server, 64) != 0)
    throw std::runtime_error("cannot listen on port " + std::to_string(port));
  for (;;) {
    const int client = accept(server, nullptr, nullptr);
    if (client < 0) continue;
    respond(client);
    close(client);
  }
}

volatile std::sig_atomic_t stopped = 0;

int run() {
  // Without SA_RESTART: the signal ends the sleep.
  struct sigaction action{};
  action.sa_handler = [](int) { stopped = 1; };
  sigaction(SIGTERM, &action, nullptr);

  Counter counter = load();
  counter.runs += 1;
  std::cout << "run " << counter.runs << ", from tick " << counter.ticks << std::endl;
  while (!stopped) {
    counter.ticks += 1;
    save(counter);
    usleep(500'000);
  }
  std::cout << "stopped at tick " << counter.ticks << std::endl;
  return 0;
}

} // namespace

int main() {
  if (const char *path = std::getenv("QUERY_PATH")) {
    std::ofstream("/query/result.json") << answer(path);
    return 0;
  }
  if (const char *port = std::getenv("THE0_QUERY_PORT")) return serve(std::atoi(port));
  return run();
}
