"""The progress page of long work."""

from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from cadres.jobs import Job, JobState
from cadres.roles import is_office


@require_safe
def job(request, pk: int):
    """How far a job is; once it is done, its result. Somebody else's job does not exist."""
    jobs = Job.objects.filter(pk=pk)
    if not is_office(request.user):
        jobs = jobs.filter(asked_by=request.user)
    found = jobs.first()
    if found is None:
        raise Http404
    if found.state == JobState.DONE and found.result_url:
        return redirect(found.result_url)
    return render(request, "cadres/job.html", {"job": found})
