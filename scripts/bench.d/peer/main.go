// Peer is a native agent that does the same job for a bot in the plainest way: it downloads and unpacks the code, then the state
// (a tar), runs the bot, and uploads the state again. It keeps no generations, checks nothing, and answers no queries.
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	keys := credentials.NewStaticV4(os.Getenv("MINIO_ACCESS_KEY"), os.Getenv("MINIO_SECRET_KEY"), "")
	store, err := minio.New(os.Getenv("MINIO_ENDPOINT"), &minio.Options{Creds: keys})
	if err != nil {
		return err
	}
	code, state := os.Getenv("CODE_PATH"), os.Getenv("STATE_PATH")
	if err := os.MkdirAll(state, 0o755); err != nil {
		return err
	}
	if err := pullCode(ctx, store, code); err != nil {
		return err
	}
	key := os.Getenv("BOT_ID") + "/state.tar.gz"
	if err := pullState(ctx, store, key, state); err != nil {
		return err
	}
	bot := exec.Command("/usr/bin/python3", "-c", `import main; main.main("bot", {})`)
	bot.Dir, bot.Stdout, bot.Stderr = code, os.Stdout, os.Stderr
	if err := bot.Run(); err != nil {
		return err
	}
	return pushState(ctx, store, key, state)
}

func pullCode(ctx context.Context, store *minio.Client, code string) error {
	file := code + ".zip"
	defer os.Remove(file)
	if err := store.FGetObject(ctx, "custom-bots", os.Getenv("CODE_FILE"), file, minio.GetObjectOptions{}); err != nil {
		return err
	}
	archive, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, entry := range archive.File {
		if !filepath.IsLocal(entry.Name) {
			return fmt.Errorf("%s leaves the folder", entry.Name)
		}
		if entry.FileInfo().IsDir() {
			continue
		}
		from, err := entry.Open()
		if err != nil {
			return err
		}
		if err := write(filepath.Join(code, entry.Name), from); err != nil {
			return err
		}
		from.Close()
	}
	return nil
}

func pullState(ctx context.Context, store *minio.Client, key, state string) error {
	object, err := store.GetObject(ctx, "bot-state", key, minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	defer object.Close()
	if _, err := object.Stat(); err != nil {
		if minio.ToErrorResponse(err).Code == "NoSuchKey" {
			return nil
		}
		return err
	}
	unzipped, err := gzip.NewReader(object)
	if err != nil {
		return err
	}
	archive := tar.NewReader(unzipped)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !filepath.IsLocal(header.Name) || header.Typeflag != tar.TypeReg {
			continue
		}
		if err := write(filepath.Join(state, header.Name), archive); err != nil {
			return err
		}
	}
}

func pushState(ctx context.Context, store *minio.Client, key, state string) error {
	entries, err := os.ReadDir(state)
	if err != nil || len(entries) == 0 {
		return err
	}
	reader, writer := io.Pipe()
	go func() {
		zipped := gzip.NewWriter(writer)
		archive := tar.NewWriter(zipped)
		err := archive.AddFS(os.DirFS(state))
		if err == nil {
			err = archive.Close()
		}
		if err == nil {
			err = zipped.Close()
		}
		writer.CloseWithError(err)
	}()
	_, err = store.PutObject(ctx, "bot-state", key, reader, -1, minio.PutObjectOptions{})
	return err
}

func write(file string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	to, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	return to.Close()
}
