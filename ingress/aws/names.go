package aws

import "strings"

// FIFOSuffix ends the names of FIFO topics and queues.
const FIFOSuffix = ".fifo"

const (
	regionBytesMax    = 32
	queueNameBytesMax = 80
	accountDigits     = 12
)

// IsRegion reports whether a text is 1 to 32 lower-case letters, digits and '-'.
func IsRegion[T string | []byte](text T) bool {
	for i := range len(text) {
		if c := text[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(text) > 0 && len(text) <= regionBytesMax
}

// IsAccount reports whether a text is 12 digits.
func IsAccount[T string | []byte](text T) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return len(text) == accountDigits
}

// IsPartition reports whether a text is one of AWS's partitions. What a subscriber calls its topic stands in the headers of
// its pushes, so nothing else may pass.
func IsPartition[T string | []byte](text T) bool {
	switch string(text) {
	case "aws", "aws-cn", "aws-us-gov":
		return true
	}
	return false
}

// IsQueueName reports whether a name is 1 to 80 letters, digits, '-' and '_', with or without the suffix of a FIFO queue.
func IsQueueName[T string | []byte](name T) bool {
	base := len(name)
	if base >= len(FIFOSuffix) && string(name[base-len(FIFOSuffix):]) == FIFOSuffix {
		base -= len(FIFOSuffix)
	}
	for i := range base {
		c := name[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return base > 0 && len(name) <= queueNameBytesMax
}

// QueueARN is the ARN of a queue taken apart.
type QueueARN struct{ Region, Account, Name string }

// ParseQueueARN takes the ARN of a queue apart; ok is false when it is none.
func ParseQueueARN(text string) (q QueueARN, ok bool) {
	const parts = 6
	p := strings.Split(text, ":")
	if len(p) != parts || p[0] != "arn" || !IsPartition(p[1]) || p[2] != "sqs" || !IsRegion(p[3]) || !IsAccount(p[4]) || !IsQueueName(p[5]) {
		return q, false
	}
	return QueueARN{p[3], p[4], p[5]}, true
}
