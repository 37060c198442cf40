from testbed.rehearsal.cutover import Cutover as Cutover
from testbed.rehearsal.scenario import Manifests as Manifests
from testbed.rehearsal.scenario import Scenario as Scenario
from testbed.rehearsal.scenario import StandingBalancer as StandingBalancer
from testbed.rehearsal.scenario import Targets as Targets
from testbed.rehearsal.scenario import scenario as scenario

__version__: str
