package sns

import (
	"bytes"
	"encoding/json"
	"strings"

	"fanfare/engine"
	"fanfare/ingress/aws"
)

// Source: Amazon SNS API reference, CreatePlatformApplication and the other actions of mobile push, read 2026-11; texts
// as recorded from AWS.
//
// An application is the document "sns.app/PLATFORM/NAME". It holds the attributes, without the credentials of the push
// service: the gateway that talks to the service has its own, and what is not kept cannot leak.

const (
	applicationNameMax = 256
	documentPrefix     = "sns."
	applicationPrefix  = "app/"
)

// platforms are the push services, with the key of their text in a message by protocol.
var platforms = map[string]string{
	"ADM": "ADM", "APNS": "APNS", "APNS_SANDBOX": "APNS_SANDBOX", "APNS_VOIP": "APNS_VOIP", "APNS_VOIP_SANDBOX": "APNS_VOIP_SANDBOX",
	"MACOS": "MACOS", "MACOS_SANDBOX": "MACOS_SANDBOX", "Baidu": "BAIDU", "BAIDU": "BAIDU", "FCM": "GCM", "GCM": "GCM", "MPNS": "MPNS", "WNS": "WNS",
}

var errNoApplication = &fault{404, "NotFound", "PlatformApplication does not exist"}

// application is a platform application as an ARN names it: app/PLATFORM/NAME.
type application struct{ platform, name string }

func (a application) resource() string { return applicationPrefix + a.platform + "/" + a.name }
func (a application) key() string      { return documentPrefix + a.resource() }

// endpoints is how the keys of its endpoints begin.
func (a application) endpoints() string {
	return documentPrefix + endpointPrefix + a.platform + "/" + a.name + "/"
}

// application reads the ARN of an application.
func (c *call) application(p params) (a application, err error) {
	text, ok := p["PlatformApplicationArn"]
	if !ok {
		return a, noValue("PlatformApplicationArn")
	}
	parts, err := c.resourceParts("PlatformApplicationArn", text, 3)
	if err != nil {
		return a, err
	}
	if parts[0] != "app" {
		return a, invalid("PlatformApplicationArn")
	}
	return application{parts[1], parts[2]}, nil
}

// resourceParts takes the last part of an ARN apart, which has n parts of its own.
func (c *call) resourceParts(parameter, text string, n int) ([]string, error) {
	a, err := c.parseARN(parameter, []byte(text))
	switch {
	case err != nil:
		return nil, err
	case a.id != nil:
		return nil, invalid("%s", parameter)
	}
	parts := strings.Split(string(a.name), "/")
	if len(parts) != n {
		return nil, invalid("%s Reason: Wrong number of slashes in relative portion of the ARN.", parameter)
	}
	return parts, nil
}

// createPlatformApplication makes an application. For one that exists it sets the attributes that are given.
func (c *call) createPlatformApplication(p params) error {
	name := p["Name"]
	if err := checkApplicationName(name); err != nil {
		return err
	}
	platform, err := p.required("Platform")
	if err != nil {
		return err
	}
	if platforms[platform] == "" {
		return invalid("Platform Reason: %s is not supported", aws.Shorten(platform))
	}
	given, err := p.applicationAttributes(platform)
	if err != nil {
		return err
	}
	a := application{platform, name}
	err = c.face.engine.ChangeDocuments(func(d *engine.DocumentChanges) error {
		attributes := decodeAttributes(d.Get(a.key()))
		if attributes == nil {
			attributes = map[string]string{"Enabled": "true"}
		}
		d.Put(a.key(), mergeAttributes(attributes, given))
		return nil
	})
	if err != nil {
		return err
	}
	c.replyLeaf("CreatePlatformApplication", "PlatformApplicationArn", c.topicARN(a.resource()))
	return nil
}

func checkApplicationName(name string) error {
	switch {
	case name == "":
		return invalid("%s Reason: cannot be empty", name)
	case len(name) > applicationNameMax:
		return invalid("%s Reason: must be at most 256 characters long", aws.Shorten(name))
	}
	for i := range len(name) {
		b := name[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '_' && b != '-' && b != '.' {
			return invalid("%s Reason: must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'", name)
		}
	}
	return nil
}

// applicationAttributeNames are the attributes of an application; true for a credential.
var applicationAttributeNames = map[string]bool{
	"PlatformCredential": true, "PlatformPrincipal": true, "ApplePlatformTeamID": false, "ApplePlatformBundleID": false,
	"EventEndpointCreated": false, "EventEndpointDeleted": false, "EventEndpointUpdated": false, "EventDeliveryFailure": false,
	"SuccessFeedbackRoleArn": false, "FailureFeedbackRoleArn": false, "SuccessFeedbackSampleRate": false, "Enabled": false,
}

const attributeValueBytesMax = 4096

// applicationAttributes reads the attributes of an application and checks them. Credentials are checked and forgotten.
// Google's services have one alone.
func (p params) applicationAttributes(platform string) (map[string]string, error) {
	pairs, err := p.pairs("Attributes.entry")
	switch {
	case err != nil:
		return nil, err
	case len(pairs) == 0:
		return nil, nullMember("attributes")
	}
	given, credentials := map[string]string{}, map[string]bool{}
	for _, a := range pairs {
		credential, known := applicationAttributeNames[a.key]
		switch {
		case !known:
			return nil, invalid(invalidAttributeName, aws.Shorten(a.key))
		case credential:
			credentials[a.key] = true
			continue
		case len(a.value) > attributeValueBytesMax:
			return nil, invalid("Attributes Reason: Invalid value for attribute: %s: longer than %d bytes", a.key, attributeValueBytesMax)
		}
		value := a.value
		switch a.key {
		case "Enabled":
			if value, err = enabledText(value); err != nil {
				return nil, err
			}
		case "SuccessFeedbackSampleRate":
			if fault := checkSampleRate(a.key, value); fault != "" {
				return nil, invalid("Attributes Reason: Invalid value for attribute: %s", fault)
			}
		}
		given[a.key] = value
	}
	const provided = "Attributes Reason: %s attribute provided without %s"
	switch hasCredential, hasPrincipal := credentials["PlatformCredential"], credentials["PlatformPrincipal"]; {
	case hasPrincipal && !hasCredential:
		return nil, invalid(provided, "PlatformPrincipal", "PlatformCredential")
	case hasCredential && !hasPrincipal && platforms[platform] != "GCM":
		return nil, invalid(provided, "PlatformCredential", "PlatformPrincipal")
	}
	return given, nil
}

func enabledText(value string) (string, error) {
	lower := strings.ToLower(value)
	if lower != "true" && lower != "false" {
		return "", invalid("Attributes Reason: Invalid value for attribute: Enabled: %s", aws.Shorten(value))
	}
	return lower, nil
}

// decodeAttributes reads the document of an application, nil for none.
func decodeAttributes(document []byte) (attributes map[string]string) {
	if document == nil || json.Unmarshal(document, &attributes) != nil {
		return nil
	}
	return attributes
}

// mergeAttributes sets what is given, or removes what is given empty, and returns the document.
func mergeAttributes(attributes, given map[string]string) []byte {
	for name, value := range given {
		if attributes[name] = value; value == "" {
			delete(attributes, name)
		}
	}
	return []byte(writePolicy(attributes))
}

// isDisabled reports whether the document of an application or of an endpoint says that it is. A quote within a value
// is escaped, so what looks like the member is the member.
func isDisabled(document []byte) bool { return bytes.Contains(document, disabledMember) }

var disabledMember = []byte(`"Enabled":"false"`)

func (c *call) getPlatformApplicationAttributes(p params) error {
	a, err := c.application(p)
	if err != nil {
		return err
	}
	attributes := decodeAttributes(c.face.engine.Document([]byte(a.key())))
	if attributes == nil {
		return errNoApplication
	}
	c.replyAttributes("GetPlatformApplicationAttributes", attributes)
	return nil
}

func (c *call) setPlatformApplicationAttributes(p params) error {
	a, err := c.application(p)
	if err != nil {
		return err
	}
	given, err := p.applicationAttributes(a.platform)
	if err != nil {
		return err
	}
	err = c.face.engine.ChangeDocuments(func(d *engine.DocumentChanges) error {
		attributes := decodeAttributes(d.Get(a.key()))
		if attributes == nil {
			return errNoApplication
		}
		d.Put(a.key(), mergeAttributes(attributes, given))
		return nil
	})
	if err != nil {
		return err
	}
	c.replyNone("SetPlatformApplicationAttributes")
	return nil
}

// deletedTogether is how many endpoints of an application are deleted at once.
const deletedTogether = 1000

// deletePlatformApplication deletes an application and its endpoints. It is idempotent.
func (c *call) deletePlatformApplication(p params) error {
	a, err := c.application(p)
	if err != nil {
		return err
	}
	for more := true; more; {
		err := c.face.engine.ChangeDocuments(func(d *engine.DocumentChanges) error {
			endpoints := d.List(a.endpoints(), "", deletedTogether)
			for _, e := range endpoints {
				d.Delete(e.Key)
				d.Delete(a.tokenKey(decodeEndpoint(e.Value).Token))
			}
			if more = len(endpoints) == deletedTogether; !more {
				d.Delete(a.key())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	c.replyNone("DeletePlatformApplication")
	return nil
}

func (c *call) listPlatformApplications(p params) error {
	page, next, err := c.documentPage(p["NextToken"], documentPrefix+applicationPrefix, pageSize)
	if err != nil {
		return err
	}
	w := c.begin("ListPlatformApplications")
	w.list("PlatformApplications", len(page), func(i int) {
		w.leaf("PlatformApplicationArn", c.topicARN(strings.TrimPrefix(page[i].Key, documentPrefix)))
		w.attributes(decodeAttributes(page[i].Value))
	})
	w.next("NextToken", next)
	c.finish("ListPlatformApplications")
	return nil
}

// documentPage returns the documents with a prefix behind those a token stands for, and the token of the page behind it.
func (c *call) documentPage(token, prefix string, size int) (page []engine.Document, next string, err error) {
	after, err := parseToken(token)
	if err != nil {
		return nil, "", err
	}
	if after != "" {
		after = prefix + after
	}
	page = c.face.engine.Documents(prefix, after, size+1)
	if len(page) > size {
		page = page[:size]
		next = makeToken(strings.TrimPrefix(page[size-1].Key, prefix))
	}
	return page, next, nil
}
