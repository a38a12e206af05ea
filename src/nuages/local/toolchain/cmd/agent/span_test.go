package main

import (
	"net/netip"
	"strings"
	"testing"
)

func TestSpans(t *testing.T) {
	prefix := func(text string) span { return prefixSpan(netip.MustParsePrefix(text)) }
	cases := []struct {
		name string
		got  []span
		want string
	}{
		{"one address", []span{prefix("10.0.0.1/32")}, "10.0.0.1"},
		{"everything", []span{prefix("0.0.0.0/0")}, "0.0.0.0/0"},
		{"a prefix with host bits", []span{prefix("10.1.2.3/8")}, "10.0.0.0/8"},
		{"a hole in the middle", without([]span{prefix("10.0.0.0/30")}, prefix("10.0.0.1/32")), "10.0.0.0 10.0.0.2/31"},
		{"a hole at the start", without([]span{prefix("10.0.0.0/30")}, prefix("10.0.0.0/32")), "10.0.0.1-10.0.0.3"},
		{"a hole at the end of all", without([]span{prefix("0.0.0.0/0")}, prefix("128.0.0.0/1")), "0.0.0.0/1"},
		{"a hole around", without([]span{prefix("10.0.0.0/30")}, prefix("10.0.0.0/8")), ""},
		{"a hole elsewhere", without([]span{prefix("10.0.0.0/30")}, prefix("11.0.0.0/8")), "10.0.0.0/30"},
		{"one inside another", union([]span{prefix("10.0.0.5/32"), prefix("10.0.0.0/8")}), "10.0.0.0/8"},
		{"overlapping", union([]span{{5, 9}, {1, 6}}), "0.0.0.1-0.0.0.9"},
		{"neighbours", union([]span{{2, 2}, {1, 1}}), "0.0.0.1 0.0.0.2"},
		{"the same twice", union([]span{{2, 2}, {2, 2}}), "0.0.0.2"},
	}
	for _, c := range cases {
		var got []string
		for _, s := range c.got {
			got = append(got, addresses(s))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
	}
}
