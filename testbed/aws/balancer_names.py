"""The DNS names of load balancers in AWS, and the hosted zones that contain them.

```
ALB   <name>-<digits>.<region>.elb.amazonaws.com          internal ones: internal-<name>-…
NLB   <name>-<16 hex>.elb.<region>.amazonaws.com          .cn is added in China
```

The swapped position of `elb` and the region decides the canonical hosted zone. Sources: ELB user guides;
the zone ids are those of external-dns, provider/aws/aws.go, at v0.22.
"""

from __future__ import annotations

import re

from testbed.network import BalancerType

_NLB = re.compile(r"(?:.+\.)?elb\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_ALB = re.compile(r"(?:.+\.)?([a-z]{2}-[a-z0-9-]+)\.elb\.amazonaws\.com(?:\.cn)?")
_TEN_DIGITS = 10**10
DNS_NAME_TAG = "testbed/dns-name"
"""Tag of a balancer that stands in for one of another controller: its DNS name is the value."""
INSTANCE_ID_TAG = "testbed/instance-id"
"""Tag of an instance that is a node: the id that the node names is the value."""

# region: (ALB and classic, NLB)
CANONICAL_ZONES: dict[str, tuple[str, str]] = {
    "af-south-1": ("Z268VQBMOI5EKX", "Z203XCE67M25HM"),
    "ap-east-1": ("Z3DQVH9N71FHZ0", "Z12Y7K3UBGUAD1"),
    "ap-east-2": ("Z02789141MW7T1WBU19PO", "Z09176273OC2HWIAUNYW"),
    "ap-northeast-1": ("Z14GRHDCWA56QT", "Z31USIVHYNEOWT"),
    "ap-northeast-2": ("ZWKZPGTI48KDX", "ZIBE1TIR4HY56"),
    "ap-northeast-3": ("Z5LXEXXYW11ES", "Z1GWIQ4HH19I5X"),
    "ap-south-1": ("ZP97RAFLXTNZK", "ZVDDRBQ08TROA"),
    "ap-south-2": ("Z0173938T07WNTVAEPZN", "Z0711778386UTO08407HT"),
    "ap-southeast-1": ("Z1LMS91P8CMLE5", "ZKVM4W9LS7TM"),
    "ap-southeast-2": ("Z1GM3OXH4ZPM65", "ZCT6FZBF4DROD"),
    "ap-southeast-3": ("Z08888821HLRG5A9ZRTER", "Z01971771FYVNCOVWJU1G"),
    "ap-southeast-4": ("Z09517862IB2WZLPXG76F", "Z01156963G8MIIL7X90IV"),
    "ap-southeast-5": ("Z06010284QMVVW7WO5J", "Z026317210H9ACVTRO6FB"),
    "ap-southeast-6": ("Z023301818UFJ50CIO0MV", "Z01392953RKV2Q3RBP0KU"),
    "ap-southeast-7": ("Z0390008CMBRTHFGWBCB", "Z054363131YWATEMWRG5L"),
    "ca-central-1": ("ZQSVJUPU6J1EY", "Z2EPGBW3API2WT"),
    "ca-west-1": ("Z06473681N0SF6OS049SD", "Z02754302KBB00W2LKWZ9"),
    "cn-north-1": ("Z1GDH35T77C1KE", "Z3QFB96KMJ7ED6"),
    "cn-northwest-1": ("ZM7IZAIOVVDZF", "ZQEIKTCZ8352D"),
    "eu-central-1": ("Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"),
    "eu-central-2": ("Z06391101F2ZOEP8P5EB3", "Z02239872DOALSIDCX66S"),
    "eu-north-1": ("Z23TAZ6LKFMNIO", "Z1UDT6IFJ4EJM"),
    "eu-south-1": ("Z3ULH7SSC9OV64", "Z23146JA1KNAFP"),
    "eu-south-2": ("Z0956581394HF5D5LXGAP", "Z1011216NVTVYADP1SSV"),
    "eu-west-1": ("Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"),
    "eu-west-2": ("ZHURV8PSTC4K8", "ZD4D7Y8KGAS4G"),
    "eu-west-3": ("Z3Q77PNBQS71R4", "Z1CMS0P5QUZ6D5"),
    "il-central-1": ("Z09170902867EHPV2DABU", "Z0313266YDI6ZRHTGQY4"),
    "me-central-1": ("Z08230872XQRWHG2XF6I", "Z00282643NTTLPANJJG2P"),
    "me-south-1": ("ZS929ML54UICD", "Z3QSRYVP46NYYV"),
    "mx-central-1": ("Z023552324OKD1BB28BH5", "Z02031231H3ID6HYJ9A7U"),
    "sa-east-1": ("Z2P70J7HTTTPLU", "ZTK26PT1VY4CU"),
    "us-east-1": ("Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"),
    "us-east-2": ("Z3AADJGX6KTTL2", "ZLMOA37VPKANP"),
    "us-gov-east-1": ("Z166TLBEWOO7G0", "Z1ZSMQQ6Q24QQ8"),
    "us-gov-west-1": ("Z33AYJ8TM3BH4J", "ZMG1MZ2THAWF1"),
    "us-west-1": ("Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"),
    "us-west-2": ("Z1H1FL5HABSF5", "Z18D5FSROUN65G"),
}


def balancer_type(dns_name: str) -> BalancerType | None:
    """Return the type of the balancer with a DNS name; None for any other name."""
    name = dns_name.rstrip(".").lower()
    if _NLB.fullmatch(name):
        return "nlb"
    return "alb" if _ALB.fullmatch(name) else None


def canonical_zone(dns_name: str) -> str | None:
    """Return the id of the hosted zone of a balancer's DNS name; None for any other name."""
    name = dns_name.rstrip(".").lower()
    for pattern, column in ((_NLB, 1), (_ALB, 0)):
        match = pattern.fullmatch(name)
        if match and match[1] in CANONICAL_ZONES:
            return CANONICAL_ZONES[match[1]][column]
    return None


def balancer_dns_name(arn: str, scheme: str) -> str:
    """Return the DNS name of a balancer. It depends on the ARN alone, so that it never changes.

    Args:
        arn: `arn:aws:elasticloadbalancing:<region>:<account>:loadbalancer/<app|net>/<name>/<16 hex>`.
        scheme: `internal` or `internet-facing`.
    """
    region = arn.split(":")[3]
    _, kind, name, number = arn.split(":", 5)[5].split("/")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    if kind == "net":
        return f"{name}-{number}.elb.{region}.{suffix}".lower()
    prefix = "internal-" if scheme == "internal" else ""
    digits = int(number, 16) % _TEN_DIGITS
    return f"{prefix}{name}-{digits}.{region}.elb.{suffix}".lower()
