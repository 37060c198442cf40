"""What each release of ExternalDNS does, as facts with dates. Code asks `release.has(Fact.X)`.

A fact holds from the release that brought it to the one that took it away; `testbed.dated_releases` has the
table of releases. Sources: the tags of external-dns (the file named, read at the releases on both sides of
the date; v0.9.0, v0.10.0, v0.10.1, v0.12.1, v0.13.0 and v0.13.4 could not be read, so what changed there is
dated by its commit), and the recordings of real binaries.
"""

from __future__ import annotations

from testbed import dated_releases
from testbed.dated_releases import EXTERNAL_DNS_RELEASES, Dates, Release
from testbed.errors import BadInput

ALPHA_PREFIX = "external-dns.alpha.kubernetes.io/"
PREFIX = "external-dns.kubernetes.io/"


class Fact(dated_releases.Fact):
    """A behaviour of some releases. The docstring of each says what holds while it does."""

    # --- the sources: which objects claim which names -----------------------------------------------------

    LABEL_FILTER = Dates("v0.10.2", source="source/service.go, source/ingress.go")
    """`--label-filter` works for Services and Ingresses; before, for the CRD source only."""
    INTERNAL_HOSTNAME = Dates("v0.7.6", source="18a60a517")
    """The annotation `internal-hostname`."""
    INGRESS_HOSTNAME_SOURCE = Dates("v0.9.0", source="509a07c49")
    """The annotation `ingress-hostname-source`."""
    TARGET_ON_SERVICES = Dates("v0.13.5", source="3288cc2f9")
    """The annotation `target` counts on a Service too."""
    EXTERNAL_IPS_OF_EXTERNAL_NAME = Dates("v0.14.1", source="source/service.go")
    """External IPs of a Service of type ExternalName hide its name."""
    AAAA_OF_IPV6 = Dates("v0.13.5", source="94d09b37d")
    """An IPv6 address makes an AAAA record; before, an A."""
    SERVICES_MERGED = Dates("v0.7.5", source="source/service.go")
    """Endpoints of Services of equal name, type and TTL become one with several targets."""
    SERVICES_MERGED_BY_IDENTIFIER = Dates("v0.10.2", source="#2259")
    """Merged endpoints have equal set identifiers too."""
    SERVICES_SORTED_BY_TYPE = Dates("v0.13.5", source="source/service.go")
    """Endpoints of one name are sorted by type before they merge; before, only neighbours merged."""
    CNAMES_OF_SERVICES_APART = Dates("v0.16.0", source="7e10c8032")
    """Services with one name and several balancers stay as many claimants."""
    SERVICES_MERGED_WHOLE = Dates("v0.19.0", source="source/service.go")
    """Merged endpoints keep all targets, each once, whatever the TTLs; before, the first of each."""
    INGRESSES_MERGED = Dates("v0.21.0", source="ef69679e3")
    """Endpoints of Ingresses of equal name, type and TTL become one."""
    DUALSTACK_LABEL = Dates(until="v0.16.0", source="7c23e01e3")
    """The annotation `ip-address-type: dualstack` of an Ingress adds an AAAA alias."""
    LONG_LABELS_REFUSED = Dates("v0.14.1", source="source/source.go, 7dbf503fe")
    """A name with a label of more than 63 characters makes no endpoint."""
    SERVICE_TYPES_KNOWN = Dates("v0.18.0", source="source/service.go")
    """An unknown type in `--service-type-filter` is refused; before, it matched nothing."""
    TEMPLATE_REPLACE = Dates("v0.17.0", source="source/fqdn/fqdn.go")
    """`--fqdn-template` knows `replace`, `isIPv4` and `isIPv6`."""
    TEMPLATE_TRIM = Dates("v0.18.0", source="source/fqdn/fqdn.go")
    """`--fqdn-template` knows `contains`, `trimSuffix`, `trim` and `toLower`."""
    TEMPLATE_HAS_KEY = Dates("v0.21.0", source="source/template/functions.go")
    """`--fqdn-template` knows `hasKey`."""
    SRV_WITH_DOT = Dates("v0.21.0", source="source/service.go")
    """The host in an SRV record ends with a dot."""
    ANNOTATION_PREFIX_FLAG = Dates("v0.20.0", source="5a55b09f4")
    """`--annotation-prefix`."""
    NEW_ANNOTATION_PREFIX = Dates("v0.22.0", source="ecb88cfbd, #6424")
    """The default prefix of annotations is `external-dns.kubernetes.io/`, and only that is read."""

    GATEWAYS_OF_V1BETA1 = Dates("v0.15.0", "v0.21.0", source="source/gateway.go, gateway_httproute.go")
    """Gateways and HTTPRoutes are read in v1beta1; before and after, in v1."""
    GRPC_ROUTES_OF_V1 = Dates("v0.15.0", source="source/gateway_grpcroute.go")
    """GRPCRoutes are read in v1; before, in v1alpha2."""
    TLS_ROUTES_OF_V1 = Dates("v0.22.0", source="source/gateway_tlsroute.go")
    """TLSRoutes are read in v1; before, in v1alpha2, as TCPRoutes and UDPRoutes are in every release."""
    PARENTS_OF_SPEC = Dates("v0.17.0", source="source/gateway.go")
    """A parent in a route's status counts only if the route still names it."""
    GENERATION_OBSERVED = Dates("v0.17.0", "v0.18.0", source="source/gateway.go; #5490 took it back")
    """The condition Accepted counts only for the generation that the route has now."""
    GATEWAY_HOSTNAME_SOURCE = Dates("v0.21.0", source="docs/sources/gateway-api.md")
    """The annotation `gateway-hostname-source`."""

    # --- duplicates and validation ------------------------------------------------------------------------

    DEFAULT_TARGETS_BY_TYPE = Dates("v0.13.6", source="source/multisource.go")
    """`--default-targets` makes a record of each type that its targets need; before, the type stayed."""
    DEFAULT_TARGETS_FILL = Dates("v0.18.0", source="source/multisource.go")
    """`--default-targets` is for endpoints without targets, unless forced; before, for all."""
    DUPLICATES_BY_TYPE = Dates("v0.16.0", source="adb4a4fbb")
    """Two endpoints are duplicates only if their types are equal too."""
    TARGETS_UNIQUE = Dates("v0.20.0", source="source/wrappers/dedupsource.go")
    """Targets are sorted, and each is kept once."""
    ENDPOINTS_VALIDATED = Dates("v0.21.0", source="b453ea166")
    """An endpoint that no provider could take is left out."""

    # --- the plan -----------------------------------------------------------------------------------------

    PLAN_BY_TYPE = Dates("v0.13.5", source="94d09b37d")
    """A and AAAA of one name are planned apart."""
    PLAN_BY_NAME = Dates("v0.14.0", source="cf756a76b")
    """The types of a name are planned together: none is created beside a record of another owner."""
    CONFLICTS_WARNED = Dates("v0.21.0", source="plan/conflict.go")
    """The line about a dropped CNAME is a warning; before, information."""
    CNAME_CONFLICTS = Dates("v0.14.0", source="55ae13ef2")
    """CNAME candidates are dropped where another type is a candidate for the name."""
    DELETES_UNIQUE = Dates("v0.14.2", source="plan/plan.go")
    """A record is deleted once, though two of its type were read."""
    OWNER_IN_PLAN = Dates("v0.14.0", source="20bff0aae")
    """The plan drops records of others; before, the TXT registry did."""
    TARGETS_WITHOUT_CASE = Dates("v0.8.0", source="0a9daa9e9")
    """Targets are compared without case."""
    ADDRESSES_BY_VALUE = Dates("v0.12.1", source="0c8f6a69b")
    """An address is smaller than a name, and addresses are ordered by value."""
    ADDRESSES_IN_ANY_SPELLING = Dates("v0.15.1", source="endpoint/endpoint.go")
    """Two spellings of an IPv6 address are the same target."""
    ALL_PROPERTIES_COMPARED = Dates("v0.13.6", source="55bbb29f5, 44b576133")
    """A property that only one side has is a difference, and so is target health."""
    EMPTY_PLAN_NOT_APPLIED = Dates("v0.9.0", source="17fb8813d")
    """The controller says that all is up to date; before, the provider did."""
    ZONES_FILTER_PLAN = Dates("v0.9.0", source="f85cddab5")
    """Only names in a hosted zone are planned."""
    NS_MANAGED = Dates("v0.7.5", "v0.7.6", source="plan/plan.go")
    """NS records are planned by default."""
    AAAA_MANAGED = Dates("v0.13.5", source="94d09b37d")
    """AAAA records are planned by default."""
    POLICY_REQUIRED = Dates("v0.22.0", source="4a6c85893, #6508")
    """`--policy` has no default."""

    # --- the registry -------------------------------------------------------------------------------------

    TYPED_TXT = Dates("v0.12.0", source="25c7cb28e")
    """TXT names carry the record's type: `a-app`, `cname-app`."""
    UNTYPED_TXT = Dates(until="v0.18.0", source="9f16d835f")
    """A TXT without a type in its name is written."""
    MISSING_TXT_CREATED = Dates("v0.12.2", "v0.13.6", source="0feb32de3; 44b576133")
    """A TXT that an own record lacks is created in a batch of its own, before the plan."""
    MISSING_TXT_FORCES_UPDATE = Dates("v0.13.6", source="44b576133")
    """An own record that lacks a TXT is sent again, with all of its TXTs."""
    TXT_TYPE_IN_LABELS = Dates("v0.13.6", source="registry/txt.go")
    """A TXT with a type in its name is about the record of that type; before, about all but AAAA."""
    AAAA_TXT = Dates("v0.13.5", source="94d09b37d")
    """The TXT of an AAAA has the type in its name, and no other."""
    NO_UNTYPED_TXT_WITH_TEMPLATE = Dates("v0.13.6", source="registry/txt.go")
    """No TXT without a type is written where an affix holds `%{record_type}`."""
    NO_UNTYPED_TXT_ENCRYPTED = Dates("v0.14.0", source="registry/txt.go")
    """No TXT without a type is written encrypted."""
    MX_IN_TXT_NAME = Dates("v0.18.0", source="registry/txt.go")
    """`mx-` begins the name of a TXT."""
    SRV_IN_TXT_NAME = Dates("v0.21.0", source="registry/mapper/mapper.go")
    """So do `ptr-`, `srv-` and `naptr-`."""
    DNAME_IN_TXT_NAME = Dates("v0.22.0", source="registry/mapper/mapper.go")
    """So do `txt-` and `dname-`."""
    TEMPLATE_TYPE_READ = Dates("v0.14.0", source="registry/txt.go")
    """The type in the name of a TXT whose affix holds `%{record_type}` is understood."""
    LONG_TXT_NAMES_SKIPPED = Dates("v0.13.0", source="7dbf503fe")
    """A TXT is not written if a label of its name is longer than 63 characters."""
    EXISTING_TXT_KEPT = Dates("v0.19.0", source="c6ed951ab, #5459")
    """A new record's TXT is not created if one of a registry has its name."""
    EXISTING_TXTS_ACCUMULATE = Dates("v0.19.0", "v0.20.0", source="registry/txt.go")
    """TXTs that are gone count as existing until a sync has changes."""
    A_TXT_OF_ALIAS = Dates("v0.22.0", source="6a1faae92, #6523")
    """The TXT of an A alias is `a-`; before, `cname-`."""
    TXT_WITHOUT_TARGETS = Dates("v0.16.0", source="registry/txt.go")
    """A TXT without a value is passed over."""
    EQUALS_SIGN_IN_LABEL = Dates("v0.22.0", source="endpoint/labels.go")
    """A label's value may hold an equals sign."""
    DOTS_IN_SUFFIX = Dates("v0.13.6", source="registry/txt.go")
    """`--txt-suffix` may hold dots."""
    TXT_WILDCARD = Dates("v0.7.5", source="registry/txt.go")
    """`--txt-wildcard-replacement`."""

    # --- the provider -------------------------------------------------------------------------------------

    ALIAS_ENDPOINTS = Dates("v0.14.0", source="ff7412a84")
    """An alias is an endpoint of type A; before, of type CNAME."""
    ALIAS_ADJUSTED = Dates("v0.8.0", source="4345ce6a3")
    """Endpoints of balancers get the property `alias` before the plan."""
    ALIAS_NORMALISED = Dates("v0.13.6", source="55bbb29f5, d18abe5f3")
    """A CNAME is `alias` or not, target health is true or false, and the TTL of an alias counts as 300."""
    ALIAS_ANNOTATION_LOST = Dates("v0.14.0", "v0.14.1", source="provider/aws/aws.go")
    """The annotation `alias` makes a plain A record of the name of its target."""
    ALIAS_OF_AAAA = Dates("v0.16.0", source="7c23e01e3")
    """An AAAA alias is read as AAAA; before, as another alias of the type that A aliases have."""
    ALIAS_OF_ONE_TYPE = Dates("v0.22.0", source="provider/aws/aws.go")
    """The property `alias` may be A or AAAA: one alias of that type."""
    ALIAS_PAIR_SHARES_LABELS = Dates("v0.16.0", "v0.21.0", source="provider/aws/aws.go")
    """A and AAAA alias of a claim have one set of labels between them."""
    AAAA_FOR_ALIASES = Dates("v0.16.0", source="7c23e01e3, #5111")
    """Each alias of a balancer gets an AAAA alias beside it."""
    REPLACED_ON_TYPE_CHANGE = Dates("v0.7.5", source="provider/aws/aws.go")
    """A change of type is DELETE and CREATE; before, an UPSERT."""
    REPLACED_ON_POLICY_CHANGE = Dates("v0.13.2", source="provider/aws/aws.go")
    """So is a change of the set identifier or of the kind of routing policy."""
    UPDATE_WITHOUT_OLD_SKIPPED = Dates("v0.19.0", source="provider/aws/aws.go, #5647")
    """An update that lacks the endpoint before it is passed over; before, the process died."""
    ROUTING_WITHOUT_IDENTIFIER = Dates("v0.21.0", source="provider/aws/aws.go")
    """A routing policy is sent without a set identifier too, and Route 53 refuses it."""
    HEALTH_CHECKS = Dates("v0.7.5", source="provider/aws/aws.go")
    """The annotation `aws-health-check-id`."""
    TARGET_HOSTED_ZONE = Dates("v0.8.0", source="provider/aws/aws.go")
    """The annotation `aws-target-hosted-zone`."""
    GEOPROXIMITY = Dates("v0.19.0", source="provider/aws/aws.go")
    """The annotations `aws-geoproximity-…`."""
    PINNED_ZONE = Dates("v0.22.0", source="82c0233fa")
    """The annotation `aws-hosted-zone-id`."""
    OCTAL_NAMES = Dates("v0.15.1", source="provider/aws/aws.go")
    """All escapes in a record's name are decoded; before, that of the asterisk."""
    OCTAL_TARGETS = Dates("v0.22.0", source="b3d635a92")
    """Those in an alias's target are decoded too."""
    AAAA_READ = Dates("v0.13.5", source="94d09b37d")
    """AAAA records are read."""
    BALANCERS_BY_LABEL = Dates("v0.16.0", source="provider/aws/aws.go")
    """A balancer's name is matched label by label; before, by any ending."""
    UNKNOWN_REGION_WARNED = Dates("v0.13.0", source="4add4439e")
    """A name of AWS that is no known balancer is warned about."""
    RESUBMITTED_BY_NAME = Dates("v0.13.4", source="7dd84a589")
    """A batch that Route 53 refused is sent again name by name."""
    BATCHES_BY_OWNED_RECORD = Dates("v0.13.4", source="7dd84a589")
    """A record and its TXTs go into one batch."""
    SOFT_ERRORS = Dates("v0.14.1", source="1ee6c0a77")
    """An error of Route 53 is soft: the loop goes on."""
    LISTING_ENDS_PROCESS = Dates("v0.15.0", "v0.15.1", source="provider/aws/aws.go")
    """An error while records are listed is not soft."""
    INDEX_PANIC = Dates("v0.16.0", "v0.19.0", source="#5634, #5647; seen with v0.16.1, v0.18.0")
    """An update can end the process in an index panic; the emulation does not play that."""
    SOFT_ERRORS_COUNTED = Dates("v0.18.0", source="93d4d47bf")
    """The log counts them, and says when they are over."""
    ERRORS_END_PROCESS = Dates("v0.13.5", source="07dc39abc")
    """An error that is not soft ends the process; before, it was logged."""

    # --- the process --------------------------------------------------------------------------------------

    LEAST_EVENT_INTERVAL = Dates("v0.8.0", source="controller/controller.go, 43f9f564b")
    """An event counts after `--min-event-sync-interval`; before, after 5 s."""
    EVENTS_AT_LEAST_APART = Dates("v0.15.0", source="controller/controller.go")
    """The first event counts, and the first sync comes at once; before, each event put the sync off."""
    NO_OP_METRIC = Dates("v0.9.0", source="controller/controller.go, 17fb8813d")
    """Syncs without a change are counted."""
    RECONCILE_METRIC = Dates("v0.14.0", source="8389939f1")
    """The time of the latest attempt is served."""
    RECORD_METRICS = Dates("v0.18.0", source="controller/metrics.go, 93d4d47bf")
    """Records are counted by type, and soft errors in a row."""
    LEFT_OUT_METRICS = Dates("v0.21.0", source="ede1c0908, 45b4aa2d8")
    """Records of other owners, duplicates and invalid endpoints are counted."""

    # --- the words in the log -----------------------------------------------------------------------------

    PROFILE_IN_LOG = Dates("v0.15.0", source="7fb0996bf")
    """Lines about batches carry zone and profile as fields; before, in the text."""
    ZONE_CACHE_WORDS = Dates("v0.21.0", source="provider/aws/aws.go")
    """`Retrieving AWS zones.`; before, `Refreshing zones list cache`."""
    RECORD_FILTER_LOGGED = Dates("v0.9.0", source="f85cddab5")
    """`Applying provider record filter for domains`."""
    DRY_RUN_LOGGED = Dates("v0.19.0", source="provider/aws/aws.go")
    """`Dry run mode, skipping change submission`."""
    BATCH_FAILURE_WORDS = Dates("v0.13.4", source="7dd84a589")
    """`Failure in zone … when submitting change batch`, in one line."""
    OWNER_MISMATCH_WORDS = Dates("v0.20.0", source="endpoint/endpoint.go")
    """A skipped record without an owner is told from one of another owner."""
    NEIGHBOUR_MISMATCH_LOGGED = Dates("v0.15.1", source="plan/plan.go")
    """The log says that a creation is left out beside a record of another owner."""
    CONTROLLER_INDEXED = Dates("v0.22.0", source="source/informers")
    """An object of another controller is logged when it changes, without its kind; before, at each sync."""
    QUOTED_OBJECTS = Dates("v0.21.0", source="89eec8151")
    """Lines name an object as `'service/ns/name'`."""
    TTL_AS_NUMBER = Dates("v0.21.0", source="source/annotations")
    """A TTL out of range is written as a number; before, from v0.14 on, as a character."""
    TTL_WITH_OBJECT = Dates("v0.14.0", source="source/source.go")
    """A line about a TTL names the object and the error."""
    SERVICE_TYPE_FILTER_LOGGED = Dates("v0.22.0", source="source/service.go")
    """`filtered service … out with service types filter`."""


def release_of(tag: str) -> Release:
    """Return the release of a tag; two numbers name their newest release: `v0.22` is v0.22.0.

    Raises:
        BadInput: there is no such release.
    """
    try:
        return EXTERNAL_DNS_RELEASES.line(tag)
    except KeyError:
        oldest, newest = EXTERNAL_DNS_RELEASES.oldest, EXTERNAL_DNS_RELEASES.newest
        raise BadInput(f"there is no ExternalDNS {tag}", do=f"use one from {oldest} to {newest}") from None


def annotation_prefix(release: Release) -> str:
    """Return the default prefix of annotations, with its slash."""
    return PREFIX if release.has(Fact.NEW_ANNOTATION_PREFIX) else ALPHA_PREFIX


def managed_types(release: Release) -> tuple[str, ...]:
    """Return the record types that are planned by default."""
    types = {
        "A": True,
        "AAAA": release.has(Fact.AAAA_MANAGED),
        "CNAME": True,
        "NS": release.has(Fact.NS_MANAGED),
    }
    return tuple(kind for kind, is_managed in types.items() if is_managed)
