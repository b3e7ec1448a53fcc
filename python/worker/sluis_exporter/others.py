"""Estimators that are built from others. Knows no arithmetic of its own."""

from .walk import estimate, estimates, unwrap, within


@estimates("sklearn", "Pipeline")
def _pipeline(builder, pipeline, source, form):
    source, (place, last) = unwrap(builder, pipeline, source)
    with within(place):
        return estimate(builder, last, source, form)
