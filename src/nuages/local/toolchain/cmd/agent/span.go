package main

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
)

// span is a closed range of numbers: IPv4 addresses or ports.
type span struct{ first, last uint32 }

func addressSpan(address netip.Addr) span {
	bytes := address.As4()
	number := binary.BigEndian.Uint32(bytes[:])
	return span{number, number}
}

func prefixSpan(prefix netip.Prefix) span {
	first := addressSpan(prefix.Masked().Addr()).first
	return span{first, first | uint32(1<<(32-prefix.Bits())-1)}
}

// without cuts other out of every span.
func without(spans []span, other span) []span {
	var left []span
	for _, s := range spans {
		if other.last < s.first || s.last < other.first {
			left = append(left, s)
			continue
		}
		if s.first < other.first {
			left = append(left, span{s.first, other.first - 1})
		}
		if other.last < s.last {
			left = append(left, span{other.last + 1, s.last})
		}
	}
	return left
}

// union sorts the spans and joins those that overlap, which nft refuses in one set; neighbours stay apart, readable.
func union(spans []span) []span {
	sorted := slices.SortedFunc(slices.Values(spans), func(a, b span) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(b.last, a.last))
	})
	var joined []span
	for _, s := range sorted {
		if end := len(joined) - 1; end >= 0 && s.first <= joined[end].last {
			joined[end].last = max(joined[end].last, s.last)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// addresses writes a span as nft does: one address, a prefix where it is one, else a range.
func addresses(s span) string {
	if s.first == s.last {
		return dotted(s.first)
	}
	length := s.last - s.first + 1 // 0 for the whole of IPv4
	if length&(length-1) == 0 && s.first&(length-1) == 0 {
		return fmt.Sprintf("%s/%d", dotted(s.first), 32-bits.TrailingZeros32(length))
	}
	return dotted(s.first) + "-" + dotted(s.last)
}

func dotted(number uint32) string {
	var bytes [4]byte
	binary.BigEndian.PutUint32(bytes[:], number)
	return netip.AddrFrom4(bytes).String()
}

// ports writes a span of ports as nft does.
func ports(s span) string {
	if s.first == s.last {
		return strconv.Itoa(int(s.first))
	}
	return fmt.Sprintf("%d-%d", s.first, s.last)
}
