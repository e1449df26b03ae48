package sqs

import "fanfare/ingress/auth"

// operation is an action of the API.
type operation struct {
	name   string
	serve  func(*call) error
	needs  auth.Permissions // of which a credential has to have one
	shared bool             // with the API of SNS, so that the name alone tells nothing
}

// operationOf finds an action by its name, nil when there is none. What needs no other permission needs auth.Admin: an
// action that is added is closed to senders and receivers until somebody decides otherwise.
func operationOf(name []byte) *operation {
	switch string(name) {
	case "SendMessage":
		return &sendMessage
	case "SendMessageBatch":
		return &sendMessageBatch
	case "ReceiveMessage":
		return &receiveMessage
	case "DeleteMessage":
		return &deleteMessage
	case "DeleteMessageBatch":
		return &deleteMessageBatch
	}
	return control[string(name)]
}

// Those on the hot path.
var (
	sendMessage        = operation{"SendMessage", (*call).sendMessage, auth.Publish, false}
	sendMessageBatch   = operation{"SendMessageBatch", (*call).sendMessageBatch, auth.Publish, false}
	receiveMessage     = operation{"ReceiveMessage", (*call).receiveMessage, auth.Receive, false}
	deleteMessage      = operation{"DeleteMessage", (*call).deleteMessage, auth.Receive, false}
	deleteMessageBatch = operation{"DeleteMessageBatch", (*call).deleteMessageBatch, auth.Receive, false}
)

// control are the others.
var control = byName(
	operation{"ChangeMessageVisibility", (*call).changeVisibility, auth.Receive, false},
	operation{"ChangeMessageVisibilityBatch", (*call).changeVisibilityBatch, auth.Receive, false},
	operation{"CreateQueue", (*call).createQueue, auth.Admin, false},
	operation{"DeleteQueue", (*call).deleteQueue, auth.Admin, false},
	operation{"PurgeQueue", (*call).purgeQueue, auth.Admin, false},
	operation{"ListQueues", (*call).listQueues, auth.Admin, false},
	operation{"GetQueueUrl", (*call).getQueueURL, auth.Publish | auth.Receive | auth.Admin, false},
	operation{"GetQueueAttributes", (*call).getQueueAttributes, auth.Receive | auth.Admin, false},
	operation{"SetQueueAttributes", (*call).setQueueAttributes, auth.Admin, false},
	operation{"TagQueue", (*call).tagQueue, auth.Admin, false},
	operation{"UntagQueue", (*call).untagQueue, auth.Admin, false},
	operation{"ListQueueTags", (*call).listQueueTags, auth.Admin, false},
	operation{"AddPermission", (*call).addPermission, auth.Admin, true},
	operation{"RemovePermission", (*call).removePermission, auth.Admin, true},
	operation{"ListDeadLetterSourceQueues", (*call).listDeadLetterSourceQueues, auth.Admin, false},
	operation{"StartMessageMoveTask", (*call).startMessageMoveTask, auth.Admin, false},
	operation{"ListMessageMoveTasks", (*call).listMessageMoveTasks, auth.Admin, false},
	operation{"CancelMessageMoveTask", (*call).cancelMessageMoveTask, auth.Admin, false},
)

func byName(operations ...operation) map[string]*operation {
	m := make(map[string]*operation, len(operations))
	for i := range operations {
		m[operations[i].name] = &operations[i]
	}
	return m
}
