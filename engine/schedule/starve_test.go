package schedule_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/engine/schedule"
)

// More entries than fit in memory are put off again and again; the others fire in time all the same, and
// those that were put off are offered again.
func TestSnoozedEntriesStarveNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hogs = 20000
		src := &source{}
		timer := schedule.New(src, func(error) {})
		now := time.Now()
		for range hogs {
			src.keys = append(src.keys, timer.NewKey(now.UnixMilli()))
		}
		late := timer.NewKey(now.Add(30 * time.Second).UnixMilli())
		added := timer.NewKey(now.Add(time.Minute).UnixMilli())
		src.keys = append(src.keys, late)
		slices.SortFunc(src.keys, less)
		offered := map[schedule.Key]int{}
		at := map[schedule.Key]time.Duration{}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			timer.Run(ctx, func(k schedule.Key) {
				if k == late || k == added {
					at[k] = time.Since(now)
					src.delete(k)
					timer.Settled(k)
					return
				}
				offered[k]++
				timer.Snooze(k, time.Now().Add(20*time.Second).UnixMilli())
			})
		}()
		time.Sleep(15 * time.Second)
		src.put(added)
		timer.Added(added)
		time.Sleep(50 * time.Second)
		cancel()
		<-done
		for name, k := range map[string]schedule.Key{"late": late, "added": added} {
			due := time.UnixMilli(k.Due).Sub(time.UnixMilli(now.UnixMilli()))
			if got, ok := at[k]; !ok || got < due-time.Millisecond || got > due+time.Second {
				t.Errorf("%s: due after %v, fired %v after %v", name, due, ok, got)
			}
		}
		if len(offered) != hogs {
			t.Errorf("%d of %d were offered", len(offered), hogs)
		}
		for k, n := range offered {
			if n < 3 {
				t.Fatalf("%v was offered %d times in 65 s", k, n)
			}
		}
	})
}

// Firing takes so long that the first entry put off is due again before the last one fired: entries that are
// still to be loaded are loaded all the same.
func TestSlowFiringDoesNotKeepFromLoading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{}
		timer := schedule.New(src, func(error) {})
		now := time.Now()
		for range 5000 {
			src.keys = append(src.keys, timer.NewKey(now.UnixMilli()))
		}
		late := timer.NewKey(now.Add(12 * time.Second).UnixMilli())
		src.keys = append(src.keys, late)
		slices.SortFunc(src.keys, less)
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		fired := false
		timer.Run(ctx, func(k schedule.Key) {
			if k == late {
				fired = true
				src.delete(k)
				timer.Settled(k)
				cancel()
				return
			}
			time.Sleep(50 * time.Microsecond)
			timer.Snooze(k, time.Now().Add(100*time.Millisecond).UnixMilli())
		})
		if !fired {
			t.Error("an entry due after 12 s was not fired within 15 s")
		}
	})
}
