-- | Counts ticks. What it writes under STATE_DIR is there again the next time.
--
-- One program is bot and query program: the runtime starts it again to answer queries. This one does not listen on
-- THE0_QUERY_PORT, so it is run once for each, with QUERY_PATH, and leaves its answer in a file.
module Main (main) where

import Control.Concurrent (myThreadId, threadDelay, throwTo)
import Control.Exception (AsyncException (UserInterrupt), handleJust)
import Control.Monad (guard)
import Data.Char (isDigit)
import Data.List (isPrefixOf, tails)
import System.Directory (createDirectoryIfMissing, doesFileExist, renameFile)
import System.Environment (getEnv, lookupEnv)
import System.FilePath (takeDirectory, (</>))
import System.IO (BufferMode (LineBuffering), hSetBuffering, readFile', stdout)
import System.Posix.Signals (Handler (Catch), installHandler, sigTERM)

data Counter = Counter {runs, ticks :: Integer}

main :: IO ()
main = do
  path <- lookupEnv "QUERY_PATH"
  port <- lookupEnv "THE0_QUERY_PORT"
  case (path, port) of
    (Just asked, _) -> answer asked >>= writeFile "/query/result.json"
    (Nothing, Just _) -> pure ()
    (Nothing, Nothing) -> run

run :: IO ()
run = do
  hSetBuffering stdout LineBuffering
  bot <- myThreadId
  _ <- installHandler sigTERM (Catch (throwTo bot UserInterrupt)) Nothing
  before <- load
  let now = before {runs = runs before + 1}
  putStrLn ("run " ++ show (runs now) ++ ", from tick " ++ show (ticks now))
  handleJust (guard . (== UserInterrupt)) (\_ -> putStrLn "stopped") (loop now)
  where
    loop counter = do
      let next = counter {ticks = ticks counter + 1}
      save next
      threadDelay 500000
      loop next

answer :: String -> IO String
answer "/status" = do
  counter <- load
  pure ("{\"status\":\"ok\",\"data\":" ++ json counter ++ "}")
answer _ = pure "{\"status\":\"error\",\"error\":\"ask /status\"}"

stateFile :: IO FilePath
stateFile = (</> "counter.json") <$> getEnv "STATE_DIR"

load :: IO Counter
load = do
  file <- stateFile
  there <- doesFileExist file
  if there then parse <$> readFile' file else pure (Counter 0 0)

-- | Renamed into place: a reader never sees half a file.
save :: Counter -> IO ()
save counter = do
  file <- stateFile
  createDirectoryIfMissing True (takeDirectory file)
  writeFile (file ++ ".new") (json counter)
  renameFile (file ++ ".new") file

json :: Counter -> String
json counter = "{\"runs\":" ++ show (runs counter) ++ ",\"ticks\":" ++ show (ticks counter) ++ "}"

-- | Of a flat object of numbers; aeson does this for real ones.
parse :: String -> Counter
parse text = Counter (number "runs") (number "ticks")
  where
    number name = head [read (takeWhile isDigit (drop (length (key name)) rest)) | rest <- tails text, key name `isPrefixOf` rest]
    key name = "\"" ++ name ++ "\":"
