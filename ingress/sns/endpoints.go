package sns

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// An endpoint is the document "sns.endpoint/PLATFORM/APPLICATION/ID", which the kind "gateway" puts into what it sends
// for it as it stands. The document "sns.token/PLATFORM/APPLICATION/HASH" leads from its token to its id.

const (
	endpointPrefix       = "endpoint/"
	endpointIDBytes      = 36
	deviceTokenBytesMax  = 8 << 10
	customUserBytesMax   = 2048
	invalidAttributeName = "Attributes Reason: Invalid attribute name: %s"
	endpointIDFault      = "%s Reason: ARN specifies an invalid endpointId: UUID must be encoded in exactly 36 characters."
)

var errEndpointMissing = &fault{404, "NotFound", "Endpoint does not exist"}

// endpointDocument is what is kept of an endpoint; its members are written in this order.
type endpointDocument struct {
	Enabled        string
	Token          string
	CustomUserData string `json:",omitempty"`
}

func decodeEndpoint(document []byte) (e endpointDocument) {
	_ = json.Unmarshal(document, &e) // was written here
	return e
}

func (e *endpointDocument) attributes() map[string]string {
	m := map[string]string{"Enabled": e.Enabled, "Token": e.Token}
	if e.CustomUserData != "" {
		m["CustomUserData"] = e.CustomUserData
	}
	return m
}

// tokenKey is the key of what leads from a token to its endpoint.
func (a application) tokenKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return documentPrefix + "token/" + a.platform + "/" + a.name + "/" + hex.EncodeToString(sum[:])
}

// endpoint reads the ARN of an endpoint.
func (c *call) endpoint(p params) (a application, id string, err error) {
	text, ok := p["EndpointArn"]
	if !ok {
		return a, "", noValue("EndpointArn")
	}
	return c.endpointNamed("EndpointArn", text)
}

func (c *call) endpointNamed(parameter, text string) (a application, id string, err error) {
	parts, err := c.resourceParts(parameter, text, 4)
	switch {
	case err != nil:
		return a, "", err
	case parts[0]+"/" != endpointPrefix:
		return a, "", invalid("%s", parameter)
	case len(parts[3]) != endpointIDBytes:
		return a, "", invalid(endpointIDFault, parameter)
	}
	return application{parts[1], parts[2]}, parts[3], nil
}

// endpointAttributes reads the attributes of an endpoint that are given.
func (p params) endpointAttributes() (map[string]string, error) {
	pairs, err := p.pairs("Attributes.entry")
	if err != nil {
		return nil, err
	}
	given := map[string]string{}
	for _, a := range pairs {
		value := a.value
		switch a.key {
		case "Enabled":
			value, err = enabledText(value)
		case "Token":
			err = checkDeviceToken(value)
		case "CustomUserData":
			err = checkUserData(value)
		default:
			err = invalid(invalidAttributeName, aws.Shorten(a.key))
		}
		if err != nil {
			return nil, err
		}
		given[a.key] = value
	}
	return given, nil
}

func checkDeviceToken(token string) error {
	switch {
	case token == "":
		return invalid("Token Reason: cannot be empty")
	case len(token) > deviceTokenBytesMax:
		return invalid("Token Reason: must be at most %d bytes long", deviceTokenBytesMax)
	}
	return nil
}

func checkUserData(data string) error {
	if len(data) > customUserBytesMax {
		return invalid("CustomUserData Reason: must be at most %d bytes long in UTF-8 encoding", customUserBytesMax)
	}
	return nil
}

// createPlatformEndpoint makes an endpoint, or returns the one that has the token already and the attributes given.
func (c *call) createPlatformEndpoint(p params) error {
	a, err := c.application(p)
	if err != nil {
		return err
	}
	given, err := p.endpointAttributes()
	if err != nil {
		return err
	}
	if data, ok := p["CustomUserData"]; ok {
		if err := checkUserData(data); err != nil {
			return err
		}
		given["CustomUserData"] = data
	}
	given["Token"] = p["Token"]
	if err := checkDeviceToken(given["Token"]); err != nil {
		return err
	}
	id := newName()
	err = c.face.engine.ChangeDocuments(func(d *engine.DocumentChanges) error {
		if d.Get(a.key()) == nil {
			return errNoApplication
		}
		tokenKey := a.tokenKey(given["Token"])
		if have := d.Get(tokenKey); have != nil {
			id = string(have)
			return c.sameEndpoint(a, id, d.Get(a.endpoints()+id), given)
		}
		e := endpointDocument{"true", given["Token"], ""}
		e.merge(given)
		d.Put(tokenKey, []byte(id))
		d.Put(a.endpoints()+id, []byte(writePolicy(e)))
		return nil
	})
	if err != nil {
		return err
	}
	c.replyLeaf("CreatePlatformEndpoint", "EndpointArn", c.endpointARN(a, id))
	return nil
}

func (c *call) endpointARN(a application, id string) string {
	return c.topicARN(endpointPrefix + a.platform + "/" + a.name + "/" + id)
}

// sameEndpoint refuses attributes that an existing endpoint does not have.
func (c *call) sameEndpoint(a application, id string, document []byte, given map[string]string) error {
	have := decodeEndpoint(document)
	attributes := have.attributes()
	for name, value := range given {
		if attributes[name] != value {
			return c.tokenTaken(a, id)
		}
	}
	return nil
}

func (c *call) tokenTaken(a application, id string) error {
	return invalid("Token Reason: Endpoint %s already exists with the same Token, but different attributes.", c.endpointARN(a, id))
}

func (e *endpointDocument) merge(given map[string]string) {
	for name, value := range given {
		switch name {
		case "Enabled":
			e.Enabled = value
		case "Token":
			e.Token = value
		case "CustomUserData":
			e.CustomUserData = value
		}
	}
}

func (c *call) getEndpointAttributes(p params) error {
	a, id, err := c.endpoint(p)
	if err != nil {
		return err
	}
	document := c.face.engine.Document([]byte(a.endpoints() + id))
	if document == nil {
		return errEndpointMissing
	}
	e := decodeEndpoint(document)
	c.replyAttributes("GetEndpointAttributes", e.attributes())
	return nil
}

func (c *call) setEndpointAttributes(p params) error {
	a, id, err := c.endpoint(p)
	if err != nil {
		return err
	}
	given, err := p.endpointAttributes()
	switch {
	case err != nil:
		return err
	case len(given) == 0:
		return nullMember("attributes")
	}
	err = c.face.engine.ChangeDocuments(func(d *engine.DocumentChanges) error {
		document := d.Get(a.endpoints() + id)
		if document == nil {
			return errEndpointMissing
		}
		e := decodeEndpoint(document)
		old := a.tokenKey(e.Token)
		e.merge(given)
		if fresh := a.tokenKey(e.Token); fresh != old {
			if other := d.Get(fresh); other != nil {
				return c.tokenTaken(a, string(other))
			}
			d.Delete(old)
			d.Put(fresh, []byte(id))
		}
		d.Put(a.endpoints()+id, []byte(writePolicy(e)))
		return nil
	})
	if err != nil {
		return err
	}
	c.replyNone("SetEndpointAttributes")
	return nil
}

// deleteEndpoint is idempotent. Subscriptions of the endpoint stay.
func (c *call) deleteEndpoint(p params) error {
	a, id, err := c.endpoint(p)
	if err != nil {
		return err
	}
	err = c.face.engine.ChangeDocuments(func(d *engine.DocumentChanges) error {
		if document := d.Get(a.endpoints() + id); document != nil {
			d.Delete(a.tokenKey(decodeEndpoint(document).Token))
			d.Delete(a.endpoints() + id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.replyNone("DeleteEndpoint")
	return nil
}

func (c *call) listEndpoints(p params) error {
	const action = "ListEndpointsByPlatformApplication"
	a, err := c.application(p)
	if err != nil {
		return err
	}
	if c.face.engine.Document([]byte(a.key())) == nil {
		return errNoApplication
	}
	page, next, err := c.documentPage(p["NextToken"], a.endpoints(), pageSize)
	if err != nil {
		return err
	}
	w := c.begin(action)
	w.list("Endpoints", len(page), func(i int) {
		w.leaf("EndpointArn", c.topicARN(page[i].Key[len(documentPrefix):]))
		e := decodeEndpoint(page[i].Value)
		w.attributes(e.attributes())
	})
	w.next("NextToken", next)
	c.finish(action)
	return nil
}
