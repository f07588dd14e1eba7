// Counts ticks. What it writes under STATE_DIR is there again the next time.
//
// One program is bot and query program: the runtime starts it again to answer queries, with THE0_QUERY_PORT while the
// bot runs and with QUERY_PATH when it does not.

import com.sun.net.httpserver.HttpServer

import java.net.{InetAddress, InetSocketAddress}
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.{Files, NoSuchFileException, Path}

@main def counterBot(): Unit =
  (sys.env.get("QUERY_PATH"), sys.env.get("THE0_QUERY_PORT")) match
    case (Some(path), _)    => Files.writeString(Path.of("/query/result.json"), answer(path))
    case (None, Some(port)) => serve(port.toInt)
    case (None, None)       => run()

case class Counter(runs: Long, ticks: Long):
  def json: String = s"""{"runs":$runs,"ticks":$ticks}"""

  /** Renamed into place: a reader never sees half a file. */
  def save(): Unit =
    Files.createDirectories(Counter.file.getParent)
    val written = Files.writeString(Counter.file.resolveSibling("counter.json.new"), json)
    Files.move(written, Counter.file, ATOMIC_MOVE)

object Counter:
  def file: Path = Path.of(sys.env("STATE_DIR"), "counter.json")

  def load(): Counter =
    try
      val text = Files.readString(file)
      Counter(number(text, "runs"), number(text, "ticks"))
    catch case _: NoSuchFileException => Counter(runs = 0, ticks = 0)

  /** The member of that name in a flat JSON object; a JSON library does this for real ones. */
  private def number(json: String, name: String): Long =
    s""""$name":(\\d+)""".r.findFirstMatchIn(json).get.group(1).toLong

def run(): Unit =
  var now = Counter.load()
  now = now.copy(runs = now.runs + 1)
  println(s"run ${now.runs}, from tick ${now.ticks}")
  // SIGTERM runs this, and the JVM then exits with 143.
  sys.addShutdownHook(println(s"stopped at tick ${now.ticks}"))
  while true do
    now = now.copy(ticks = now.ticks + 1)
    now.save()
    Thread.sleep(500)

def answer(path: String): String =
  if path == "/status" then s"""{"status":"ok","data":${Counter.load().json}}"""
  else """{"status":"error","error":"ask /status"}"""

/** A query comes as a GET with its parameters in the query string. */
def serve(port: Int): Unit =
  val server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress, port), 64)
  server.createContext(
    "/",
    exchange =>
      val body = answer(exchange.getRequestURI.getPath).getBytes(UTF_8)
      exchange.getResponseHeaders.set("Content-Type", "application/json")
      exchange.sendResponseHeaders(200, body.length)
      exchange.getResponseBody.write(body)
      exchange.close()
  )
  server.start()
