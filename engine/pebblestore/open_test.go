package pebblestore_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The test binary holds the store of this directory open when the variable is set, until its input ends.
const holdEnv = "FANFARE_TEST_HOLD"

func TestMain(m *testing.M) {
	dir := os.Getenv(holdEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := pebblestore.Open(pebblestore.Options{Dir: dir})
	if err != nil {
		os.Stdout.WriteString("failed: " + err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString("open\n")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	if s.Close() != nil {
		os.Exit(1)
	}
}

// A real second process is refused, with the directory's name, and let in when the first has ended, be it by kill -9.
func TestSecondProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holdEnv+"="+dir)
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holder.Process.Kill(); _ = holder.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("the first process says %q, %v", line, err)
	}
	_, err = pebblestore.Open(pebblestore.Options{Dir: dir})
	wantError(t, err, pebblestore.ErrInUse, dir, "in use by another process", "end that process")
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait()
	if err := open(t, pebblestore.Options{Dir: dir}).Close(); err != nil {
		t.Error(err)
	}
}

func wantError(t *testing.T, err, kind error, parts ...string) {
	t.Helper()
	if err == nil || kind != nil && !errors.Is(err, kind) {
		t.Fatalf("the error is %v, want one that is %v", err, kind)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error is %q, want %q in it", err, part)
		}
	}
}

// setVersion writes the layout version behind the store's back.
func setVersion(t *testing.T, fs vfs.FS, version []byte) {
	t.Helper()
	db, err := pebble.Open("store", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Set([]byte("v"), version, pebble.Sync), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOtherVersionsAreRefused(t *testing.T) {
	for _, c := range []struct {
		version []byte
		kind    error
		parts   []string
	}{
		{[]byte{4}, pebblestore.ErrVersion, []string{"store", "newer program", "version 4", "version 3", "fanfare export"}},
		{[]byte{255}, pebblestore.ErrVersion, []string{"newer program", "version 255"}},
		{[]byte{1}, pebblestore.ErrVersion, []string{"older program", "version 1", "fanfare import"}},
		{[]byte{3, 3}, pebblestore.ErrDamaged, []string{"0303"}},
	} {
		fs := vfs.NewMem()
		if err := open(t, small(fs)).Close(); err != nil {
			t.Fatal(err)
		}
		setVersion(t, fs, c.version)
		_, err := pebblestore.Open(small(fs))
		wantError(t, err, c.kind, c.parts...)
		setVersion(t, fs, []byte{3})
		if err := open(t, small(fs)).Close(); err != nil {
			t.Errorf("behind the refusal the store does not open: %v", err)
		}
	}
}

func TestWhatIsNoStoreIsRefused(t *testing.T) {
	t.Run("a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := pebblestore.Open(pebblestore.Options{Dir: file})
		wantError(t, err, pebblestore.ErrNotStore, file, "is not a directory")
		_, err = pebblestore.Open(pebblestore.Options{Dir: filepath.Join(file, "below")})
		wantError(t, err, nil, file)
	})
	t.Run("somebody's directory", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := pebblestore.Open(pebblestore.Options{Dir: dir})
		wantError(t, err, pebblestore.ErrNotStore, dir, "thesis.txt", "empty directory")
	})
	t.Run("another program's database", func(t *testing.T) {
		fs := vfs.NewMem()
		db, err := pebble.Open("store", &pebble.Options{FS: fs, Logger: quiet{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Set([]byte("k"), nil, pebble.Sync), db.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = pebblestore.Open(small(fs))
		wantError(t, err, pebblestore.ErrNotStore, "store", "has no version")
	})
	t.Run("missing parents", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a", "b", "c")
		if err := open(t, pebblestore.Options{Dir: dir}).Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("an empty directory that exists", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "lost+found"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := open(t, pebblestore.Options{Dir: dir}).Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("bad options", func(t *testing.T) {
		_, err := pebblestore.Open(pebblestore.Options{CacheBytes: 1, MemTableBytes: 1, StoredBytesMax: -1})
		wantError(t, err, nil, "Dir", "CacheBytes", "MemTableBytes", "StoredBytesMax")
	})
}

func TestWhatCannotBeWrittenSaysWhatToDo(t *testing.T) {
	for _, c := range []struct {
		fault error
		parts []string
	}{
		{syscall.EACCES, []string{"store", "cannot be written", "right to write"}},
		{syscall.EROFS, []string{"cannot be written", "right to write"}},
		{syscall.ENOSPC, []string{"has no room", "make room"}},
		{syscall.EMFILE, []string{"limit of open files"}},
		{syscall.EIO, []string{"cannot be written", "see to the disk"}},
	} {
		for _, exists := range []bool{false, true} {
			fs := &faultFS{FS: vfs.NewMem()}
			if exists {
				if err := open(t, small(fs)).Close(); err != nil {
					t.Fatal(err)
				}
			}
			judge, _ := at("any", 1, c.fault, true)
			fs.set(func(op, base string) error {
				if op == "opendir" {
					return nil
				}
				return judge(op, base)
			})
			_, err := pebblestore.Open(small(fs))
			wantError(t, err, nil, c.parts...)
			fs.set(nil)
			if err := open(t, small(fs)).Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
