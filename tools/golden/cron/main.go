// Writes when cron expressions fire next according to robfig/cron, the library behind KEDA's cron scaler, as JSON
// lines: {"spec", "zone", "after", "next"}; times are seconds since 1970.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"time"

	"github.com/robfig/cron/v3"
)

type row struct {
	Spec  string `json:"spec"`
	Zone  string `json:"zone"`
	After int64  `json:"after"`
	Next  int64  `json:"next"`
}

var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"}

var byHand = []string{
	"0 8 * * 1-5", "0 18 * * 1-5", "*/15 * * * *", "0 0 1 * *", "0 0 29 2 *", "30 2 * * *", "0 3 * * *", "30 1 * * *",
	"5,35 9-17/2 * * MON-FRI", "0 12 * * SUN", "59 23 31 12 *", "0 0 * * 6,0", "15 10 15 * *", "0 0 31 * *", "*/7 3-5 * * *",
}

func field(r *rand.Rand, low, high int) string {
	switch r.Intn(5) {
	case 0:
		return "*"
	case 1:
		return fmt.Sprintf("*/%d", 2+r.Intn(min(9, high-low-1)))
	case 2:
		a := low + r.Intn(high-low)
		return fmt.Sprintf("%d-%d", a, a+r.Intn(high-a+1))
	case 3:
		return fmt.Sprintf("%d,%d", low+r.Intn(high-low+1), low+r.Intn(high-low+1))
	default:
		return fmt.Sprintf("%d", low+r.Intn(high-low+1))
	}
}

func main() {
	r := rand.New(rand.NewSource(1))
	specs := append([]string{}, byHand...)
	for len(specs) < 120 {
		spec := fmt.Sprintf("%s %s %s %s %s", field(r, 0, 59), field(r, 0, 23), "*", "*", "*")
		if r.Intn(2) == 0 {
			spec = fmt.Sprintf("%s %s * %s %s", field(r, 0, 59), field(r, 0, 23), field(r, 1, 12), field(r, 0, 6))
		} else if r.Intn(3) == 0 {
			spec = fmt.Sprintf("%s %s %s * *", field(r, 0, 59), field(r, 0, 23), field(r, 1, 28))
		}
		specs = append(specs, spec)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	writeChanges(out)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for _, spec := range specs {
		for _, zone := range zones {
			location, err := time.LoadLocation(zone)
			if err != nil {
				panic(err)
			}
			schedule, err := cron.ParseStandard(spec)
			if err != nil {
				continue
			}
			for i := 0; i < 4; i++ {
				after := begin + r.Int63n(2*365*86400)
				next := schedule.Next(time.Unix(after, 0).In(location))
				if next.IsZero() {
					continue
				}
				line, _ := json.Marshal(row{spec, zone, after, next.Unix()})
				fmt.Fprintln(out, string(line))
			}
		}
	}
}

// writeChanges adds the nights in which clocks change, where libraries differ.
func writeChanges(out *bufio.Writer) {
	nights := map[string][]time.Time{
		"Europe/Berlin":    {time.Date(2026, 3, 28, 23, 30, 0, 0, time.UTC), time.Date(2026, 10, 24, 22, 30, 0, 0, time.UTC)},
		"America/New_York": {time.Date(2026, 3, 8, 5, 30, 0, 0, time.UTC), time.Date(2026, 11, 1, 4, 30, 0, 0, time.UTC)},
	}
	specs := []string{"30 2 * * *", "0 2 * * *", "*/15 2 * * *", "30 1 * * *", "0 3 * * *", "*/30 * * * *", "0 * * * *", "15 1-3 * * *"}
	for _, zone := range []string{"Europe/Berlin", "America/New_York"} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			panic(err)
		}
		for _, spec := range specs {
			schedule, err := cron.ParseStandard(spec)
			if err != nil {
				panic(err)
			}
			for _, night := range nights[zone] {
				at := night
				for i := 0; i < 8; i++ {
					next := schedule.Next(at.In(location))
					line, _ := json.Marshal(row{spec, zone, at.Unix(), next.Unix()})
					fmt.Fprintln(out, string(line))
					at = next
				}
			}
		}
	}
}
