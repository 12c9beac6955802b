"""What the office found out about the people who are not in a roster."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from branches import roster
from branches.models import ImportBatch
from cadres.jobs import RefusedError
from cadres.keys import key_in
from cadres.roles import office_only


@office_only
@require_POST
def import_omitted(request, pk: int):
    """Records that some of the missing people were left out by mistake and are still here."""
    batch = get_object_or_404(ImportBatch.objects.imports(), pk=pk)
    sent = request.POST.getlist("only") or request.POST.getlist("people")
    people = [key for key in map(key_in, sent) if key]
    back = redirect(f"{batch.get_absolute_url()}?show=missing#rows")
    if not people:
        messages.error(request, "还没有勾选人：请先勾选，再记为漏报。")
        return back
    try:
        count = roster.rule_omitted(batch=batch, people=people, by=request.user)
        messages.success(
            request, f"已登记 {count} 人：漏报，仍在册。" if count else "已经登记过了。"
        )
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return back
