"""The staff's side: the worklist, the submission page, the front desk's list.

Nothing is edited through the admin's own forms. What staff do goes through one service each, and
every page that shows a person records who saw it before it is sent.
"""

from intake.admin.frontdesk import FrontDeskAdmin
from intake.admin.worklist import SubmissionAdmin

__all__ = ["FrontDeskAdmin", "SubmissionAdmin"]
