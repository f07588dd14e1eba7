// Counts ticks. What it writes under STATE_DIR is there again the next time. Also for old compilers: C# 5.
using System;
using System.IO;
using System.Text.RegularExpressions;
using System.Threading;

public static class Counter {
  static long runs, ticks;

  public static void Main() {
    string path = Environment.GetEnvironmentVariable("QUERY_PATH");
    string port = Environment.GetEnvironmentVariable("THE0_QUERY_PORT");
    if (path != null) File.WriteAllText("/query/result.json", Answer(path));
    // Asked to listen, it does not: it is then run for each query.
    else if (port == null) Run();
  }

  static void Run() {
    Load();
    runs += 1;
    Console.WriteLine("run " + runs + ", from tick " + ticks);
    while (true) {
      ticks += 1;
      Save();
      Thread.Sleep(500);
    }
  }

  static string StateFile() {
    return Path.Combine(Environment.GetEnvironmentVariable("STATE_DIR"), "counter.json");
  }

  static void Load() {
    if (!File.Exists(StateFile())) return;
    Match found = Regex.Match(File.ReadAllText(StateFile()), "\"runs\":(\\d+),\"ticks\":(\\d+)");
    runs = long.Parse(found.Groups[1].Value);
    ticks = long.Parse(found.Groups[2].Value);
  }

  static void Save() {
    Directory.CreateDirectory(Path.GetDirectoryName(StateFile()));
    string written = StateFile() + ".new";
    File.WriteAllText(written, Json());
    if (File.Exists(StateFile())) File.Replace(written, StateFile(), null);
    else File.Move(written, StateFile());
  }

  static string Json() {
    return "{\"runs\":" + runs + ",\"ticks\":" + ticks + "}";
  }

  static string Answer(string path) {
    if (path != "/status") return "{\"status\":\"error\",\"error\":\"ask /status\"}";
    Load();
    return "{\"status\":\"ok\",\"data\":" + Json() + "}";
  }
}
