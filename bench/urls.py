from django.urls import path

from bench.peers import stock
from fengjie_cadres.urls import urlpatterns as product

urlpatterns = [*product, path("stock/", stock.urls)]
